export { examineNode } from './doctor/doctor';
export type { Diagnosis, Finding } from './doctor/finding';
export { downloadFile } from './download/download-file';
export { preheatImage } from './preheat';
