/** Lists of appointments: filters, search, order and pages, each a search in the store. */
import type { Context } from '../../context.ts'
import { type NumberedPage, numberedPage } from '../../interactions/numbered-page.ts'
import { planFor } from '../../scheduling/calendar.ts'
import { CREATED } from '../../search/busy.ts'
import { fingerprintOf } from '../../search/fingerprint.ts'
import { fold } from '../../search/fold.ts'
import type { Node, SortKey } from '../../search/plan-node.ts'
import { SHOWN, STATES, STATUSES, type State } from './codes.ts'
import { notFound } from './errors.ts'
import { numbered } from './numbers.ts'
import { seatsOf } from './people.ts'

const PAGE = 20
const MOST_TERMS = 10

const ALL: Node = { kind: 'and', nodes: [] }
const NONE: Node = { kind: 'or', nodes: [] }

const anyOf = (nodes: readonly Node[]): Node => (nodes.length === 1 ? nodes[0]! : { kind: 'or', nodes })

export const withStatus = (statuses: readonly string[]): Node =>
  anyOf(statuses.map(code => ({ kind: 'token', param: 'Appointment.status', code })))

/** Every appointment that the API shows. */
export const shownNode: Node = withStatus(SHOWN)

const actorNode = (key: string): Node => {
  const [type, id] = key.split('/') as [string, string]
  return { kind: 'reference', param: 'Appointment.actor', type, id }
}

/** Returns the node of the appointments of a patient, provider or facility; of none where the id is nobody's. */
export async function nodeOf(
  ctx: Context,
  kind: 'patient' | 'provider' | 'facility',
  id: string,
): Promise<Node> {
  const row = /^[0-9]{1,15}$/.test(id) ? await numbered(ctx, kind, Number(id)) : undefined
  if (row === undefined) return NONE
  return anyOf((kind === 'provider' ? await seatsOf(ctx, row.key) : [row.key]).map(actorNode))
}

const TYPE_TEXT = 'Appointment.appointment-type:text'

/** Returns the node of those whose type has these words, whatever their case and accents. */
function typeNode(value: string): Node {
  if (fold(value) === '') return NONE
  const said = (param: string): Node => ({ kind: 'string', param, match: 'equals', value: fold(value) })
  const unsaid: Node = { kind: 'not', node: { kind: 'present', param: TYPE_TEXT } }
  return anyOf([said(TYPE_TEXT), { kind: 'and', nodes: [unsaid, said('Appointment.service-type:text')] }])
}

/** Returns the node of one word: a part of a name of the patient or the provider, or the patient's whole code. */
function termNode(term: string): Node {
  const name = (param: string): Node => ({ kind: 'string', param, match: 'contains', value: fold(term) })
  const link = (param: string, type: string, node: Node): Node => ({
    kind: 'chain',
    params: [param],
    types: [type],
    canonical: false,
    node,
  })
  const codes = [...new Set([term, term.toUpperCase()])]
  const code = codes.map((one): Node => ({ kind: 'token', param: 'Patient.identifier', code: one }))
  const practitioner = name('Practitioner.name')
  return anyOf([
    link('Appointment.patient', 'Patient', anyOf([name('Patient.name'), ...code])),
    link('Appointment.practitioner', 'Practitioner', practitioner),
    link(
      'Appointment.actor',
      'PractitionerRole',
      link('PractitionerRole.practitioner', 'Practitioner', practitioner),
    ),
  ])
}

/** Returns the node of the filters and the search of a list's query; those that are empty say nothing. */
export async function queryNode(ctx: Context, query: URLSearchParams): Promise<Node> {
  const nodes: Node[] = []
  for (const kind of ['provider', 'patient', 'facility'] as const) {
    const id = query.get(kind)
    if (id) nodes.push(await nodeOf(ctx, kind, id))
  }
  const status = query.get('status')
  if (status) nodes.push(STATES.includes(status as State) ? withStatus(STATUSES[status as State]) : NONE)
  const type = query.get('appointment_type')
  if (type) nodes.push(typeNode(type))
  const words = (query.get('search') ?? '').split(/[\s,\0]+/).filter(word => fold(word) !== '')
  if (words.length > MOST_TERMS || words.some(word => word.length > 100)) return NONE
  nodes.push(...words.map(termNode))
  return nodes.length === 0 ? ALL : { kind: 'and', nodes }
}

const ORDERS: Readonly<Record<string, string>> = { start_time: 'Appointment.date', created_at: CREATED }

/** Returns the order asked for; by start where none that is known is named. */
function orderOf(text: string | null): SortKey[] {
  const keys = (text ?? '').split(',').flatMap((word): SortKey[] => {
    const [, minus, name] = /^\s*(-?)(\w+)\s*$/.exec(word) ?? []
    const param = name !== undefined && Object.hasOwn(ORDERS, name) ? ORDERS[name] : undefined
    return param === undefined ? [] : [{ by: 'param', params: [param], descending: minus === '-' }]
  })
  return keys.length === 0
    ? [{ by: 'param', params: ['Appointment.date'], descending: false }]
    : keys.slice(0, 2)
}

/**
 * Returns a page of the appointments that the node finds.
 *
 * Throws Refusal (404) for a page that there is not, `too-costly` (503) where the way to it takes too long.
 */
export async function pageOf(ctx: Context, node: Node, query: URLSearchParams): Promise<NumberedPage> {
  const sort = orderOf(query.get('ordering'))
  const where: Node = { kind: 'and', nodes: [shownNode, node] }
  const plan = {
    ...planFor('Appointment', where),
    sort,
    fingerprint: fingerprintOf(['Appointment'], where, sort),
  }
  const asked = query.get('page') ?? '1'
  if (asked !== 'last' && !/^[0-9]{1,9}$/.test(asked)) throw notFound()
  const page = await numberedPage(ctx, plan, asked === 'last' ? 'last' : Number(asked), PAGE)
  if (page === undefined) throw notFound()
  return page
}

/** Returns the envelope of a page. `url` is the request's own, as the client sees it. */
export function envelope({ count, page, pages }: NumberedPage, url: URL, results: unknown[]): unknown {
  const linkTo = (to: number): string | null => {
    if (to < 1 || to > pages) return null
    const link = new URL(url)
    if (to === 1) link.searchParams.delete('page')
    else link.searchParams.set('page', String(to))
    return link.href
  }
  return { count, next: linkTo(page + 1), previous: linkTo(page - 1), results }
}
