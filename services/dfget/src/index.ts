export { EXIT_FAILED, EXIT_NEEDS_AUTH, downloadFile } from './download-file';
export { preheatImage } from './preheat';
