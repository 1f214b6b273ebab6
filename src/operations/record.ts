/**
 * What a call of `$everything` asks for: whose record, which types, which time.
 * https://hl7.org/fhir/R4/patient-operation-everything.html
 */
import type { Context } from '../context.ts'
import { fhirError } from '../fhir/error.ts'
import type { TimeRange } from '../fhir/instant.ts'
import { checkType } from '../interactions/identity.ts'
import { indexRowsOfText } from '../interactions/indexer.ts'
import { periodOf } from '../interactions/paging.ts'
import { read } from '../interactions/read.ts'
import { allOf } from '../search/ask.ts'
import { compartmentNode, compartmentTypes } from '../search/compartment.ts'
import { fingerprintOf } from '../search/fingerprint.ts'
import { matches } from '../search/match.ts'
import { DATE_MAX, DATE_MIN, type Node, type SearchPlan } from '../search/plan-node.ts'
import { idOf, type Live, typeOf } from '../storage/port.ts'
import { isInCareRange } from './care-dates.ts'
import { type CompartmentType, compartmentsOf, type Member } from './compartment-members.ts'
import { type Call, textOf } from './operation.ts'

export interface Asked {
  /** What comes first; undefined where all patients are asked for. */
  root: Live | undefined
  /** The members of the record but for the root; those that `takes` refuses are passed over. */
  plan: SearchPlan
  takes(row: Live): boolean
  /** Whether a resource of the record may be shown, by `_type`. */
  shows(row: Live): boolean
  isMember(member: Member): boolean
  /** The patients whose resources may come along; undefined for all. */
  patients: ReadonlySet<string> | undefined
  /** Resources that are no members may be shown. */
  bringsSupports: boolean
  count: number
  /** What cursors are bound to. */
  binding: string
}

/** Throws as `read` does for the resource asked about, and `invalid` for bad values of parameters. */
export async function askedOf(ctx: Context, call: Call): Promise<Asked> {
  const { registry } = ctx
  const compartment = call.type as CompartmentType
  const asked = typesOf(ctx, call)
  const range = careRange(ctx, call)
  const since = textOf(call, '_since')
  const nodes: Node[] =
    since === undefined
      ? []
      : [{ kind: 'updated', bounds: [{ end: 'lo', op: '>=', value: periodOf(ctx, '_since', since).lo }] }]

  const possible = [...new Set([compartment, ...compartmentTypes(compartment)])].sort()
  // Others of the types asked for are found in what the members refer to, and so all members are walked.
  const bringsSupports = asked === undefined || asked.some(type => !possible.includes(type))
  const walked = bringsSupports ? possible : possible.filter(type => asked.includes(type))
  const root = call.id === '' ? undefined : await read(ctx, compartment, call.id)
  const base = { type: compartment, id: call.id }
  // An encounter is in its own compartment by its id alone: it is the root.
  const types = walked.filter(type => call.id === '' || type !== 'Encounter' || compartment !== 'Encounter')
  if (root !== undefined) nodes.unshift(compartmentNode(base, types.filter(isIn(compartment)), registry))
  const where = allOf(nodes)
  const fingerprint = fingerprintOf(types, where, [])

  const memberOf = (member: Member): boolean =>
    call.id === ''
      ? compartmentsOf(registry, compartment, member).size > 0
      : (member.type === compartment && member.id === call.id) ||
        (isIn(compartment)(member.type) &&
          matches(compartmentNode(base, [member.type], registry), { ...member, at: 0 }))

  return {
    root,
    plan: { types, where, sort: [], fingerprint },
    takes(row) {
      if (row.key === root?.key) return false
      if (range === undefined && root !== undefined) return true
      const member = { type: typeOf(row.key), id: idOf(row.key), rows: indexRowsOfText(ctx, row.text) }
      if (root === undefined && !memberOf(member)) return false
      return range === undefined || isInCareRange(registry, member.type, member.rows, range)
    },
    shows: row => asked === undefined || asked.includes(typeOf(row.key)),
    isMember: memberOf,
    patients: root === undefined ? undefined : patientsOf(ctx, compartment, root),
    bringsSupports,
    count: countOf(ctx, call),
    binding: `${compartment}/${call.id}/$everything ${JSON.stringify([fingerprint, call.pairs])}`,
  }
}

const isIn = (compartment: CompartmentType) => (type: string) => compartmentTypes(compartment).includes(type)

function patientsOf(ctx: Context, compartment: CompartmentType, root: Live): Set<string> {
  if (compartment === 'Patient') return new Set([idOf(root.key)])
  const member = { type: compartment, id: idOf(root.key), rows: indexRowsOfText(ctx, root.text) }
  return compartmentsOf(ctx.registry, 'Patient', member)
}

function typesOf(ctx: Context, call: Call): string[] | undefined {
  const values = call.texts.get('_type')
  if (values === undefined) return undefined
  const types = values.flatMap(value => value.split(',')).filter(type => type !== '')
  if (types.length === 0)
    throw fhirError('invalid', '_type names no resource type.', { expression: 'http._type' })
  for (const type of types) {
    try {
      checkType(ctx, type)
    } catch {
      throw fhirError('invalid', `"${type.slice(0, 64)}" is not a resource type of R4.`, {
        expression: 'http._type',
      })
    }
  }
  return [...new Set(types)]
}

function careRange(ctx: Context, call: Call): TimeRange | undefined {
  const [start, end] = [textOf(call, 'start'), textOf(call, 'end')]
  if (start === undefined && end === undefined) return undefined
  const range = {
    lo: start === undefined ? DATE_MIN : periodOf(ctx, 'start', start).lo,
    hi: end === undefined ? DATE_MAX : periodOf(ctx, 'end', end).hi,
  }
  if (range.lo >= range.hi) throw fhirError('invalid', 'end is before start.', { expression: 'http.end' })
  return range
}

/** Without `_count` as much comes as one answer may hold. */
function countOf(ctx: Context, call: Call): number {
  const { pageMax } = ctx.settings.limits
  const text = textOf(call, '_count')
  if (text === undefined) return pageMax
  const count = Number(text)
  if (count < 1)
    throw fhirError('invalid', '_count is a whole number of 1 or more.', { expression: 'http._count' })
  return Math.min(count, pageMax)
}
