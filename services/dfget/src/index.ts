export { EXIT_FAILED, EXIT_NEEDS_AUTH } from './download/result-line';
export { examineNode } from './doctor/doctor';
export type { Diagnosis, Finding } from './doctor/finding';
export { downloadFile } from './download/download-file';
export { preheatImage } from './preheat';
