/**
 * Token parameters: codes, identifiers, contact points, booleans.
 * https://hl7.org/fhir/R4/search.html#token
 */
import valueSetTable from '../../fhir/definitions/generated/value-sets.json' with { type: 'json' }
import { isObject, type Json, type JsonObject } from '../../fhir/json.ts'
import { parseReference } from '../../fhir/reference.ts'
import { type Ask, anyOf, type Planner, refusal } from '../ask.ts'
import { caseless, cut, fold, wellFormed } from '../fold.ts'
import { knownCodes } from '../need.ts'
import { splitEscaped, unescapeValue } from '../parse.ts'
import type { Node, ParamName } from '../plan-node.ts'
import type { SearchParam } from '../registry.ts'
import { addRow, identifierName, type Names, ofTypeName, order, type Sink, textName } from '../sink.ts'

/** Codes by system of each value set that a code may be bound to; null where R4 does not list them. */
const valueSets = valueSetTable as Record<string, Record<string, string[]> | null>

/** Longer systems and codes are compared by their first part only, UTF-16 units. */
const MAX_TOKEN = 1024

/** Returns a system or code as the index holds it. */
export const tokenText = (text: string): string => cut(wellFormed(text), MAX_TOKEN)

/** Returns a string as a token of it stands in the index. */
export const stringToken = (text: string): string => tokenText(caseless(text))

/** A telephone number counts by its digits, an address of mail or web whatever its case. */
export function contactText(text: string): string {
  const whole = tokenText(text).trim()
  return /^[+(]*[0-9][0-9\s().\-/]*$/.test(whole) ? whole.replace(/[^+0-9]/g, '') : whole.toLowerCase()
}

const textOf = (value: Json | undefined): string => (typeof value === 'string' ? tokenText(value) : '')

function token(names: Names, sink: Sink, system: string, code: string): void {
  addRow(sink, { kind: 'token', param: names.name, system, code })
}

function text(names: Names, sink: Sink, value: Json | undefined): void {
  if (typeof value !== 'string' || value === '') return
  addRow(sink, { kind: 'string', param: names.text, folded: fold(value), exact: '' })
}

function coding(value: Json, names: Names, sink: Sink): boolean {
  if (!isObject(value)) return false
  const code = textOf(value.code)
  const system = textOf(value.system)
  if (code !== '' || system !== '') {
    token(names, sink, system, code)
    if (code !== '') order(sink, code)
  }
  text(names, sink, value.display)
  return code !== '' || system !== ''
}

function identifier(value: JsonObject, names: Names, sink: Sink): void {
  const system = textOf(value.system)
  const code = textOf(value.value)
  if (code !== '' || system !== '') token(names, sink, system, code)
  if (code !== '') order(sink, code)
  const type = value.type
  if (!isObject(type)) return
  text(names, sink, type.text)
  if (code === '' || !Array.isArray(type.coding)) return
  for (const one of type.coding)
    if (isObject(one) && typeof one.code === 'string')
      addRow(sink, {
        kind: 'token',
        param: names.ofType,
        system: ofTypeSystem(textOf(one.system), textOf(one.code)),
        code,
      })
}

/** The system of an `:of-type` row: system and code of the identifier's type. */
export const ofTypeSystem = (system: string, code: string): string => `${system}|${code}`

/** Adds the rows of one value; `type` is the FHIR type that the element is declared to have. */
export type Writer = (value: Json, names: Names, sink: Sink) => void

const plain: Writer = (value, names, sink) => {
  const code = typeof value === 'boolean' ? String(value) : textOf(value)
  if (code === '') return
  token(names, sink, '', code)
  order(sink, code)
}

/** Returns what writes token rows for values of a FHIR type; undefined for types that tokens do not search. */
export const TOKEN_WRITERS: Readonly<Record<string, Writer>> = {
  code: plain,
  boolean: plain,
  id: plain,
  uri: plain,
  canonical: plain,
  url: plain,
  oid: plain,
  uuid: plain,
  // A token on a string is an exact match whose case does not count.
  string: (value, names, sink) => {
    if (typeof value !== 'string' || value === '') return
    const code = stringToken(value)
    token(names, sink, '', code)
    if (code !== '') order(sink, code)
  },
  Coding: coding,
  CodeableConcept: (value, names, sink) => {
    if (!isObject(value)) return
    let coded = false
    if (Array.isArray(value.coding)) for (const one of value.coding) coded = coding(one, names, sink) || coded
    text(names, sink, value.text)
    // A concept that is only text has a value all the same: `:missing` must see it.
    if (!coded && typeof value.text === 'string') token(names, sink, '', '')
  },
  Identifier: (value, names, sink) => {
    if (isObject(value)) identifier(value, names, sink)
  },
  ContactPoint: (value, names, sink) => {
    if (!isObject(value) || typeof value.value !== 'string' || value.value === '') return
    token(names, sink, '', contactText(value.value))
  },
}

/** Writes the rows of a Reference's logical identifier. */
export const writeIdentifier: Writer = (value, names, sink) => {
  if (!isObject(value)) return
  const system = textOf(value.system)
  const code = textOf(value.value)
  if (code !== '' || system !== '') addRow(sink, { kind: 'token', param: names.identifier, system, code })
}

/** The code systems that a parameter's codes come from by their binding, with the codes of each. */
function impliedSystems(param: SearchParam): Record<string, readonly string[]> {
  const systems: Record<string, readonly string[]> = {}
  for (const path of param.paths)
    if (path.type === 'code' && path.valueSet !== undefined)
      for (const [system, codes] of Object.entries(valueSets[path.valueSet] ?? {})) systems[system] = codes
  return systems
}

/** Types of which R4 says that no pipe may be used. */
const WITHOUT_SYSTEM = new Set(['ContactPoint', 'uri', 'url', 'canonical', 'boolean'])

const FORMS = 'code, system|code, |code or system|'

/** Returns the codes that a value may stand under, as the parameter's types write them. */
function spellings(param: SearchParam, code: string): string[] {
  const found = new Set<string>()
  for (const { type } of param.paths)
    found.add(
      type === 'ContactPoint' ? contactText(code) : type === 'string' ? stringToken(code) : tokenText(code),
    )
  return [...found]
}

const TRUTH = /^(?:true|false)$/

/** Code, `system|code`, `|code` or `system|`. */
export const planToken: Planner = ask => {
  const { param, criterion, value } = ask
  const parts = splitEscaped(value, '|', criterion.name).map(unescapeValue)
  if (parts.length > 2 || (parts.length === 2 && parts[0] === '' && parts[1] === ''))
    throw refusal(criterion, `A value of "${criterion.code}" is ${FORMS}.`)
  if (parts.length === 1 && !TRUTH.test(parts[0]!) && param.paths.every(path => path.type === 'boolean'))
    throw refusal(criterion, `A value of "${criterion.code}" is true or false.`)
  if (parts.length === 1)
    return anyOf(
      param.rows.flatMap(name =>
        spellings(param, parts[0]!).map((code): Node => ({ kind: 'token', param: name, code })),
      ),
    )
  if (param.paths.every(path => WITHOUT_SYSTEM.has(path.type)))
    throw refusal(criterion, `Values of "${criterion.code}" have no system: it takes a value without a pipe.`)
  const system = tokenText(parts[0]!)
  const codes = parts[1] === '' ? [''] : spellings(param, parts[1]!)
  const implied = impliedSystems(param)
  return anyOf(param.rows.flatMap(name => codes.flatMap(code => withSystem(name, system, code, implied))))
}

function withSystem(
  name: ParamName,
  system: string,
  code: string,
  implied: Record<string, readonly string[]>,
): Node[] {
  const nodes: Node[] = [{ kind: 'token', param: name, system, ...(code === '' ? {} : { code }) }]
  // A code element names no system; its value set does.
  if (Object.hasOwn(implied, system))
    for (const one of code === '' ? implied[system]! : [code])
      if (implied[system]!.includes(one)) nodes.push({ kind: 'token', param: name, system: '', code: one })
  return nodes
}

/** Returns the node that holds for values with one of these codes. */
function anyCode({ param }: Ask, codes: readonly { system: string; code: string }[]): Node {
  const implied = impliedSystems(param)
  return anyOf(
    param.rows.flatMap(name =>
      codes.flatMap(({ system, code }) =>
        code === '' ? [] : withSystem(name, tokenText(system), tokenText(code), implied),
      ),
    ),
  )
}

/** `:in`, and `:not-in` before it is turned round: codes of a ValueSet, named by its URL or as `ValueSet/id`. */
export const planIn: Planner = ask => {
  const text = unescapeValue(ask.value)
  const at = parseReference(text, ask.context.baseUrl)
  if (at.kind === 'fragment' || (at.kind === 'local' && at.type !== 'ValueSet'))
    throw refusal(
      ask.criterion,
      `A value of "${ask.criterion.name}" is the URL of a ValueSet, or ValueSet/id.`,
    )
  const url = at.kind === 'local' ? `ValueSet/${at.id}` : text
  return anyCode(ask, knownCodes(ask, { is: 'value-set', url }))
}

/** `:above` and `:below`: a code, and those that are above or below it in its code system. */
const planAround =
  (way: 'above' | 'below'): Planner =>
  ask => {
    const { param, criterion, value } = ask
    const parts = splitEscaped(value, '|', criterion.name).map(unescapeValue)
    const code = parts.at(-1)!
    const systems = parts.length === 2 ? [parts[0]!] : systemsOf(param, code)
    if (parts.length > 2 || code === '' || systems.length === 0 || systems.includes(''))
      throw refusal(
        criterion,
        `A value of "${criterion.name}" is system|code: what is ${way} a code is told by its code system.`,
      )
    return anyOf(systems.map(system => anyCode(ask, knownCodes(ask, { is: 'codes', system, code, way }))))
  }

export const planCodeAbove = planAround('above')
export const planCodeBelow = planAround('below')

/** Returns the systems that a code without one can be of, by the parameter's binding. */
const systemsOf = (param: SearchParam, code: string): string[] =>
  Object.entries(impliedSystems(param)).flatMap(([system, codes]) => (codes.includes(code) ? system : []))

/** `:text`: a string search on what is written beside the code. */
export const planTokenText: Planner = ({ param, criterion, value }) => {
  const folded = fold(unescapeValue(value))
  if (folded === '') throw refusal(criterion, `"${criterion.name}" takes a text to search for.`)
  return anyOf(
    param.rows.map(name => ({ kind: 'string', param: textName(name), match: 'starts', value: folded })),
  )
}

/** `:of-type`: type system, type code and value of an Identifier. */
export const planOfType: Planner = ({ param, criterion, value }) => {
  const parts = splitEscaped(value, '|', criterion.name).map(unescapeValue).map(tokenText)
  const [system, type, code] = parts
  if (parts.length !== 3 || !system || !type || !code)
    throw refusal(
      criterion,
      `A value of "${criterion.name}" is type-system|type-code|value, all three of them.`,
    )
  return anyOf(
    param.rows.map(name => ({
      kind: 'token',
      param: ofTypeName(name),
      system: ofTypeSystem(system, type),
      code,
    })),
  )
}

/** `:identifier` of a reference: a token search on its logical identifier. */
export const planIdentifier: Planner = ({ param, criterion, value }) => {
  const parts = splitEscaped(value, '|', criterion.name).map(unescapeValue).map(tokenText)
  if (parts.length > 2 || (parts.length === 2 && parts[0] === '' && parts[1] === ''))
    throw refusal(criterion, `A value of "${criterion.name}" is ${FORMS}.`)
  const [system, code] = parts.length === 1 ? [undefined, parts[0]!] : [parts[0]!, parts[1]!]
  return anyOf(
    param.rows.map(name => ({
      kind: 'token',
      param: identifierName(name),
      ...(system === undefined ? {} : { system }),
      ...(code === '' ? {} : { code }),
    })),
  )
}
