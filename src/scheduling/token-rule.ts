/** Numbers and states of queue tokens: the rule for Tasks that are tokens. */
import type { WriteRule } from '../context.ts'

export const tokenRule: WriteRule = {
  types: new Set(['Task', 'Appointment']),
  judge: async () => ({}),
}
