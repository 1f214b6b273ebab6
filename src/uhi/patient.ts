/** Whose an order is: the Patient of the ABHA address, where what else is known does not contradict. */
import type { Context } from '../context.ts'
import type { JsonObject, Resource } from '../fhir/json.ts'
import { search } from '../interactions/search.ts'
import { resourceOf } from '../scheduling/calendar.ts'
import { SYSTEM } from '../scheduling/codes.ts'
import { UHI } from './codes.ts'
import { genderOf } from './elements.ts'
import type { Order } from './order.ts'
import { birthOf, patientOf } from './to-fhir-patient.ts'

export interface PatientOfOrder {
  /** `Patient/1`, or the link to the new one. */
  key: string
  /** What makes the new one. */
  entries: JsonObject[]
}

/** Returns the Patient of an order with an ABHA address; `fullUrl` is what a new one is linked by. */
export async function patientFor(ctx: Context, order: Order, fullUrl: string): Promise<PatientOfOrder> {
  const identifier = `${UHI.abha}|${order.customer!.id!}`
  const { rows } = await search(ctx, 'Patient', [
    ['identifier', identifier],
    ['_count', '10'],
  ])
  const found = rows.map(row => ({ key: row.key, patient: resourceOf(row) }))
  const same = found.find(({ patient }) => !contradicts(patient, order))
  if (same !== undefined) return { key: same.key, entries: [] }
  const entry = (resource: Resource, request: JsonObject, link?: string): JsonObject => ({
    ...(link !== undefined && { fullUrl: link }),
    resource,
    request: { method: 'POST', url: resource.resourceType, ...request },
  })
  // Two orders at once of somebody new make one Patient; where one contradicts, they are two people or a mistake.
  if (found.length === 0)
    return {
      key: fullUrl,
      entries: [entry(patientOf(order), { ifNoneExist: `identifier=${identifier}` }, fullUrl)],
    }
  const task: Resource = {
    resourceType: 'Task',
    status: 'requested',
    intent: 'order',
    code: { coding: [{ system: SYSTEM.taskCode, code: 'possible-duplicate' }], text: 'Possible duplicate' },
    focus: { reference: found[0]!.key },
    for: { reference: fullUrl },
  }
  return { key: fullUrl, entries: [entry(patientOf(order), {}, fullUrl), entry(task, {})] }
}

/** Whether gender or birth date of a Patient are others than the order says. */
function contradicts(patient: Resource, { customer }: Order): boolean {
  const gender = customer?.person?.gender
  if (
    gender !== undefined &&
    typeof patient.gender === 'string' &&
    patient.gender !== 'unknown' &&
    gender !== 'U'
  )
    if (patient.gender !== genderOf(gender)) return true
  const { birthDate } = birthOf(customer?.person)
  if (birthDate === undefined || typeof patient.birthDate !== 'string') return false
  const known = Math.min(birthDate.length, patient.birthDate.length)
  return birthDate.slice(0, known) !== patient.birthDate.slice(0, known)
}
