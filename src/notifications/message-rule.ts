/** What people are told when something happens: the rule that writes Communications, and the work of delivering them. */
import type { WriteRule } from '../context.ts'
import type { Channel } from './channel.ts'

/** Returns the rule for the channels that are set up. */
export const createMessageRule = (_channels: readonly Channel[]): WriteRule => ({
  types: new Set(['Appointment', 'Task', 'Communication', 'CommunicationRequest']),
  judge: async () => ({}),
})
