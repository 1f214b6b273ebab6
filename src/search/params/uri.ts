/**
 * Uri parameters: compared to the letter.
 * https://hl7.org/fhir/R4/search.html#uri
 */
import { parseReference } from '../../fhir/reference.ts'
import { type Ask, anyOf, type PlanContext, type Planner, refusal } from '../ask.ts'
import { sortKey } from '../fold.ts'
import { splitEscaped, unescapeValue } from '../parse.ts'
import type { Node } from '../plan-node.ts'
import { addRow, order } from '../sink.ts'
import { stringToken, tokenText, type Writer } from './token.ts'

const plain: Writer = (value, names, sink) => {
  if (typeof value !== 'string' || value === '') return
  const uri = tokenText(value)
  addRow(sink, { kind: 'uri', param: names.name, value: uri })
  order(sink, sortKey(uri))
}

/** What writes uri rows for values of a FHIR type. */
export const URI_WRITERS: Readonly<Record<string, Writer>> = {
  uri: plain,
  url: plain,
  oid: plain,
  uuid: plain,
  // Found by its URL alone and with its version.
  canonical: (value, names, sink) => {
    plain(value, names, sink)
    if (typeof value !== 'string') return
    const at = value.lastIndexOf('|')
    if (at > 0) addRow(sink, { kind: 'uri', param: names.name, value: tokenText(value.slice(0, at)) })
  },
}

const leaf = ({ param }: Ask, match: 'equals' | 'below', value: string): Node =>
  anyOf(param.rows.map(name => ({ kind: 'uri', param: name, match, value })))

/** Returns the uri as it was sent, and where it is relative to our base as an absolute one too: both name what is on this server. */
function spellings(uri: string, { baseUrl, registry }: PlanContext): string[] {
  const at = parseReference(uri.split('|', 1)[0]!, baseUrl)
  const relative = at.kind === 'local' && !uri.startsWith(`${baseUrl}/`) && registry.types.includes(at.type)
  return relative ? [uri, tokenText(`${baseUrl}/${uri}`)] : [uri]
}

const equal = (ask: Ask, uri: string): Node =>
  anyOf(spellings(tokenText(uri), ask.context).map(one => leaf(ask, 'equals', one)))

/** The uri, or `url|version` where the parameter is a definition's own url. */
export const planUri: Planner = ask => {
  const { param, criterion, value, context } = ask
  const version = param.code === 'url' ? context.registry.param(param.base, 'version') : undefined
  const parts = splitEscaped(value, '|', criterion.name).map(unescapeValue)
  if (version === undefined || parts.length !== 2 || parts[0] === '' || parts[1] === '')
    return equal(ask, unescapeValue(value))
  const versions = version.rows.map(
    (name): Node => ({ kind: 'token', param: name, code: stringToken(parts[1]!) }),
  )
  return { kind: 'and', nodes: [equal(ask, parts[0]!), anyOf(versions)] }
}

/** Returns the URL asked for, without slashes at the end. Throws `invalid` for a URN, which has no path. */
function pathOf({ criterion, value }: Ask): string {
  const url = tokenText(unescapeValue(value)).replace(/\/+$/, '')
  if (url === '' || /^urn:/i.test(url))
    throw refusal(criterion, `":${criterion.modifier}" goes by the path of a URL, which this value has not.`)
  return url
}

/** `:below`: the URL and what lies under it by path. */
export const planBelow: Planner = ask =>
  anyOf(spellings(pathOf(ask), ask.context).map(one => leaf(ask, 'below', one)))

const MAX_DEPTH = 32

/** `:above`: the URL and what lies above it by path, down to its host. */
export const planAbove: Planner = ask => {
  const url = pathOf(ask)
  const root = /^[a-z][a-z0-9+.-]*:\/\/[^/]*/i.exec(url)?.[0].length ?? 0
  const ends = [url.length]
  for (let at = url.lastIndexOf('/'); at >= Math.max(root, 1); at = url.lastIndexOf('/', at - 1))
    ends.push(at)
  if (ends.length > MAX_DEPTH) throw refusal(ask.criterion, 'The path is too deep.', 'too-costly')
  return anyOf(
    ends.flatMap((end, depth) => {
      const prefix = url.slice(0, end)
      const slashed = depth === 0 && unescapeValue(ask.value) === prefix ? [] : [`${prefix}/`]
      return [prefix, ...slashed].map(one => leaf(ask, 'equals', one))
    }),
  )
}
