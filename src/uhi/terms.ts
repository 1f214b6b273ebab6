/** The five terms of an order: what the patient agrees to. Their substance is that of UHI's document, chapter 9. */
import type { Term } from './order.ts'

export interface TermValues {
  facility: string
  doctor: string
  /** Local time of the visit. */
  start: string
  total: string
  currency: string
  prepaid: boolean
  /** Local time until which the terms stand. */
  until: string
}

const GATEWAY =
  'UHI is a technology gateway only. It does not control or supervise any provider, and carries no liability for the availability, quality, safety, timeliness or outcome of the service. It does not collect, hold or route any payment. Every payment, billing arrangement, refund, cancellation charge and pricing dispute is between the patient and the provider.'

/** Returns the terms as they are proposed. */
export function termsFor({ facility, doctor, start, total, currency, prepaid, until }: TermValues): Term[] {
  const when = start.replace('T', ' ').slice(0, 16)
  const term = (type: NonNullable<Term['type']>, short: string, long: string): Term => ({
    type,
    descriptor: { name: `${type} terms`, short_desc: short, long_desc: long },
    reasonRequired: false,
    timePeriod: until,
    termsState: 'INITIATED',
  })
  return [
    term(
      'Commercial',
      'A consultation with the doctor and at the time named here.',
      `${GATEWAY} The consultation is with ${doctor} at ${facility} on ${when}. If the doctor has an emergency, the facility may offer another doctor or another time. Expect up to 30 minutes of waiting beyond the booked time.`,
    ),
    term(
      'Settlement',
      'The fee is settled with the facility.',
      `The fee is settled between the patient and ${facility}.`,
    ),
    term(
      'Cancellation',
      'Please cancel at least 4 hours before the appointment.',
      'Rescheduling, cancellation, refund and compensation follow the policies of the provider. Please cancel at least 4 hours before the appointment starts. The facility aims to tell the patient at least 2 hours before the start if it has to cancel, with a reason.',
    ),
    term(
      'Refund',
      'What was paid is returned if the doctor does not see the patient.',
      'If the facility cancels or the doctor does not appear, what was paid in advance is returned. There is no refund for a patient who does not come.',
    ),
    term(
      'Payment',
      prepaid ? 'The fee is paid in advance.' : 'The fee is paid at the facility on the day of the visit.',
      `The total is ${currency} ${total}, taxes included, and does not change at the desk. ${prepaid ? 'It is paid before the appointment is confirmed.' : 'It is paid at the facility on the day of the visit.'} The fee is set by the facility.`,
    ),
  ]
}

/** Returns why the terms of a confirmation are not those that were proposed, all agreed to; undefined where they are. */
export function disagreement(
  proposed: readonly Term[],
  sent: readonly Term[] | undefined,
): string | undefined {
  if (sent === undefined || sent.length !== proposed.length) return 'ALL TERMS MUST BE SENT'
  for (const term of proposed) {
    const same = sent.find(({ type }) => type === term.type)
    if (same === undefined) return `THE TERM ${term.type} IS MISSING`
    if (isChanged(term, same)) return `THE TERM ${term.type} IS NOT AS IT WAS PROPOSED`
    if (same.termsState !== 'AGREED') return `THE TERM ${term.type} IS NOT AGREED`
    if (term.reasonRequired === true && same.reason === undefined)
      return `THE TERM ${term.type} NEEDS A REASON`
  }
  return undefined
}

/** Whether what came back says something else; what it leaves out is as it was proposed. */
const isChanged = (proposed: Term, sent: Term): boolean =>
  (['name', 'short_desc', 'long_desc'] as const).some(
    part => sent.descriptor?.[part] !== undefined && sent.descriptor[part] !== proposed.descriptor?.[part],
  ) ||
  (['timePeriod', 'reasonRequired'] as const).some(
    name => sent[name] !== undefined && sent[name] !== proposed[name],
  )

/** Returns the terms as they are agreed to: the texts are ours, the reasons theirs. */
export const agreed = (proposed: readonly Term[], sent: readonly Term[]): Term[] =>
  proposed.map(term => {
    const reason = sent.find(({ type }) => type === term.type)?.reason
    return { ...term, ...(reason !== undefined && { reason }), termsState: 'AGREED' }
  })
