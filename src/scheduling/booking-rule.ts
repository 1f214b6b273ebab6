/** Who may be booked when: the rule for Appointments, Slots and Schedules, whoever writes them. */
import type { WriteRule } from '../context.ts'

export const bookingRule: WriteRule = {
  types: new Set(['Appointment', 'Slot']),
  judge: async () => ({}),
}
