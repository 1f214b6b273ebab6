/** Refusals as UHI writes them: codes of the reference gateway, and those of our rules of booking. */
import { FhirError } from '../fhir/error.ts'

export type UhiCode =
  /** The signature header is missing. */
  | 'UHI-1401'
  /** The registry could not be asked. */
  | 'UHI-1402'
  /** This HSPA cannot do it. */
  | 'UHI-1403'
  /** The body is not as it must be. */
  | 'UHI-1404'
  | 'UHI-1405'
  /** The registry does not know the sender. */
  | 'UHI-1406'
  | 'UHI-1407'
  /** The signature header cannot be read, or its times do not hold. */
  | 'UHI-1408'
  | 'UHI_1410'
  | 'UHI-1411'
  /** The sender is not who the message says, or not subscribed. */
  | 'UHI-1412'
  | 'UHI-1413'
  | 'UHI-1415'
  | 'UHI-1500'

export interface ErrorBody {
  type: string
  code: string
  path: string
  message: string
}

/** Why a message is refused. `message` is for people of the other side and holds nothing of the message but places in it. */
export class UhiError extends Error {
  readonly code: UhiCode
  readonly path: string
  readonly type: string

  constructor(code: UhiCode, path: string, message: string, type = '') {
    super(message)
    this.name = 'UhiError'
    this.code = code
    this.path = path
    this.type = type
  }
}

/** What our rules of booking say, in the words of a callback. */
const RULES: Readonly<Record<string, readonly [path: string, message: string]>> = {
  'slot-full': ['/message/order/fulfillment/id', 'THE SLOT IS FULL'],
  'slot-unavailable': ['/message/order/fulfillment/id', 'THE SLOT IS NOT AVAILABLE'],
  'patient-overlap': ['/message/order/customer', 'THE PATIENT HAS ANOTHER APPOINTMENT AT THAT TIME'],
  'practitioner-overlap': [
    '/message/order/fulfillment/agent',
    'THE DOCTOR HAS ANOTHER APPOINTMENT AT THAT TIME',
  ],
  'location-overlap': ['/message/order/provider/location', 'THE ROOM IS TAKEN AT THAT TIME'],
  'status-transition': ['/message/order/state', 'THE ORDER IS IN A STATE THAT DOES NOT ALLOW IT'],
  'visit-pin': ['/message/order/authorization', 'THE PIN OF THE VISIT IS NOT VERIFIED'],
}

/** Returns the error of a FhirError that a rule of booking has thrown, undefined for any other. */
export function errorOfRule(error: FhirError): ErrorBody | undefined {
  const rule = error.issues.find(issue => issue.rule !== undefined && Object.hasOwn(RULES, issue.rule))?.rule
  if (rule === undefined) return undefined
  const [path, message] = RULES[rule]!
  return { type: 'BOOKING', code: 'UHI-1403', path, message }
}

/** Returns the refusal that an error of our interactions becomes; undefined for a bug. */
export function refusalOf(error: unknown): UhiError | undefined {
  if (error instanceof UhiError) return error
  if (!(error instanceof FhirError)) return undefined
  const rule = errorOfRule(error)
  if (rule !== undefined) return new UhiError('UHI-1403', rule.path, rule.message, rule.type)
  if (error.code === 'too-costly') return new UhiError('UHI-1404', '/', 'THE BODY IS TOO LARGE')
  if (error.status >= 500) return new UhiError('UHI-1407', '/', 'THE HSPA IS BUSY, TRY AGAIN')
  return new UhiError('UHI-1404', '/', 'THE MESSAGE CANNOT BE STORED')
}

export const errorBody = ({ type, code, path, message }: UhiError): ErrorBody => ({
  type,
  code,
  path,
  message,
})
