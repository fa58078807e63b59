export { EXIT_FAILED, EXIT_NEEDS_AUTH } from './download/result-line';
export { downloadFile } from './download/download-file';
export { preheatImage } from './preheat';
