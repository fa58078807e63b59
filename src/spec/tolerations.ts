import type { k8s } from 'cdk8s-plus-27';
import { checkTaint } from './metadata';

const OPERATORS = ['Equal', 'Exists'];
const EFFECTS = ['NoSchedule', 'PreferNoSchedule', 'NoExecute'];

/**
 * Tolerations that the API server accepts.
 *
 * @throws Error naming the prop, the value and the fix: `Exists` with a value, no key without `Exists`, words that are none of Kubernetes, a time
 *   without `NoExecute`.
 */
export function checkTolerations(prop: string, values: k8s.Toleration[]): k8s.Toleration[] {
  values.forEach((toleration, i) => {
    const { key, operator, value, effect, tolerationSeconds } = toleration;
    if (operator !== undefined && !OPERATORS.includes(operator)) {
      throw new Error(`${prop}[${i}] has the operator "${operator}": use ${OPERATORS.join(' or ')}.`);
    }
    if (effect !== undefined && !EFFECTS.includes(effect)) {
      throw new Error(`${prop}[${i}] has the effect "${effect}": use ${EFFECTS.join(', ')}, or leave it out for all.`);
    }
    if (operator === 'Exists' && value !== undefined && value !== '') {
      throw new Error(`${prop}[${i}] has operator Exists and the value "${value}": leave out the value, or use Equal.`);
    }
    if (operator !== 'Exists' && (key === undefined || key === '')) {
      throw new Error(
        `${prop}[${i}] has no key: name the taint's key, or use operator Exists to tolerate every taint.`,
      );
    }
    if (key !== undefined && key !== '') {
      checkTaint(`${prop}[${i}]`, key);
    }
    if (tolerationSeconds !== undefined && (effect !== 'NoExecute' || !Number.isInteger(tolerationSeconds))) {
      throw new Error(
        `${prop}[${i}] has tolerationSeconds ${tolerationSeconds}: use a whole number with the effect NoExecute, or leave it out.`,
      );
    }
  });
  return [...values];
}
