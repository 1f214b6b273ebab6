/** What people are told when something happens: the rule that writes Communications, and the work of delivering them. */
import type { WriteRule } from '../context.ts'

export const messageRule: WriteRule = {
  types: new Set(['Appointment', 'Task', 'Communication', 'CommunicationRequest']),
  judge: async () => ({}),
}
