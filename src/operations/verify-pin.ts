/**
 * `$verify-pin`, an operation of this server: the patient shows the PIN of the visit at the desk, or the desk overrides it for a reason.
 * The visit is checked in then. After five PINs only an override helps.
 */
import type { Context } from '../context.ts'
import { FhirError, fhirError } from '../fhir/error.ts'
import type { Resource } from '../fhir/json.ts'
import {
  asPinWriter,
  authorizationOf,
  isPin,
  nameOfPin,
  OVERRIDES,
  PIN_ATTEMPTS,
  pinOf,
  pinSecretOf,
  withAuthorization,
} from '../scheduling/pin.ts'
import { answerWith, changeAppointment, definitionOf, putEntry, VERSION } from './appointment-change.ts'
import { arriving } from './appointment-visit.ts'
import { type Answer, type Call, type Operation, textOf } from './operation.ts'

export const verifyPin: Operation = {
  name: 'verify-pin',
  definition: definitionOf('verify-pin'),
  types: ['Appointment'],
  levels: ['instance'],
  affectsState: true,
  parameters: [
    { name: 'pin', type: 'string', min: 0, max: 1 },
    { name: 'override', type: 'code', min: 0, max: 1 },
    { name: 'reason', type: 'string', min: 0, max: 1 },
    VERSION,
  ],
  run,
}

const refused = (rule: string, diagnostics: string): FhirError =>
  new FhirError('business-rule', [
    { severity: 'error', code: 'business-rule', diagnostics, expression: 'Appointment.extension', rule },
  ])

async function run(ctx: Context, call: Call): Promise<Answer> {
  const pin = textOf(call, 'pin')
  const override = textOf(call, 'override')
  if ((pin === undefined) === (override === undefined))
    throw fhirError('required', 'It takes a pin, or an override with its code: one of them.', {
      expression: 'http.pin',
    })
  const under = asPinWriter(ctx, `Appointment/${call.id}`)
  const stored =
    override === undefined
      ? await attempt(under, call, pin!)
      : await opened(under, call, overridden(override, textOf(call, 'reason')))
  return answerWith(stored)
}

/** Returns what an override makes of the PIN. Throws `code-invalid` for an unknown code, `required` where it needs a reason. */
function overridden(
  override: string,
  reason: string | undefined,
): { status: string; override: string; reason?: string } {
  if (!(OVERRIDES as readonly string[]).includes(override))
    throw fhirError('code-invalid', `An override is one of ${OVERRIDES.join(', ')}.`, {
      expression: 'http.override',
    })
  if (override === 'OVERRIDE_OTHER' && reason === undefined)
    throw fhirError('required', 'OVERRIDE_OTHER needs a reason.', { expression: 'http.reason' })
  return { status: 'HSPA_OVERRIDE', override, ...(reason !== undefined && { reason }) }
}

/** Returns the appointment checked in. Each PIN counts before anybody learns whether it was the right one. */
async function attempt(ctx: Context, call: Call, pin: string) {
  const secret = pinSecretOf(ctx.settings)
  if (secret === undefined) throw refused('visit-pin', 'The server has no secret to make PINs of.')
  let isRight = false
  let left = 0
  const stored = await changeAppointment(ctx, call, async (appointment, current) => {
    const { attempts = 0, ...is } = waiting(ctx, appointment)
    if (attempts >= PIN_ATTEMPTS)
      throw refused('visit-pin-locked', 'Five PINs were tried: only an override opens the visit.')
    isRight = isPin(pin, await pinOf(secret, nameOfPin(appointment)))
    left = PIN_ATTEMPTS - attempts - 1
    const status = isRight ? 'VERIFIED' : is.status
    const counted = withAuthorization(appointment, { ...is, status, attempts: attempts + 1 })
    if (!isRight) return [putEntry(counted, current)]
    return [putEntry({ ...counted, status: 'checked-in' }, current), ...(await arriving(ctx, appointment))]
  })
  if (!isRight)
    throw refused('visit-pin-wrong', `This is not the PIN of the visit; ${left} more may be tried.`)
  return stored
}

const opened = (ctx: Context, call: Call, how: { status: string; override: string; reason?: string }) =>
  changeAppointment(ctx, call, async (appointment, current) => {
    const is = waiting(ctx, appointment, false)
    const next = { ...withAuthorization(appointment, { ...is, ...how }), status: 'checked-in' }
    return [putEntry(next, current), ...(await arriving(ctx, appointment))]
  })

/** Returns what is to be said of the PIN. Throws `business-rule` (422) where there is none, or where it has done its work or run out. */
function waiting(ctx: Context, appointment: Resource, inTime = true) {
  const is = authorizationOf(appointment)
  if (is === undefined) throw refused('visit-pin', 'This appointment has no PIN.')
  if (is.status === 'VERIFIED' || is.status === 'HSPA_OVERRIDE')
    throw refused('visit-pin', 'The visit is open already.')
  if (appointment.status !== 'booked' && appointment.status !== 'arrived')
    throw refused('visit-pin', `The appointment is ${String(appointment.status)}.`)
  const now = ctx.clock()
  const at = (time: string | undefined, otherwise: number) =>
    time === undefined ? otherwise : Date.parse(time)
  // The minute of validTo is whole.
  if (inTime && (now < at(is.validFrom, now) || now >= at(is.validTo, now) + 60_000))
    throw refused('visit-pin-expired', 'The PIN is valid on the day of the visit.')
  return is
}
