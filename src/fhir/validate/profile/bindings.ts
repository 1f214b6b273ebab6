/**
 * Bindings: what is asked of terminology, and what the answers mean under each strength.
 * https://hl7.org/fhir/R4/terminologies.html#strength
 */
import type { BindingStrength, ElementRule } from '../../definitions/structure.ts'
import { isObject, type Json, type JsonObject } from '../../json.ts'
import { quoted } from '../issues.ts'
import type { Ask, AskedCoding, CodeAnswer } from './ask.ts'
import { isA } from './core.ts'
import type { Rule } from './rules.ts'
import type { Spot } from './spot.ts'
import { ask, type Finding, report, type Walk } from './walk.ts'

export type Binding = NonNullable<ElementRule['binding']>

const SEVERITY: Readonly<Record<BindingStrength, Finding['severity'] | undefined>> = {
  required: 'error',
  extensible: 'warning',
  preferred: 'information',
  example: undefined,
}
const RULES: Readonly<Record<BindingStrength, Rule>> = {
  required: 'binding-required',
  extensible: 'binding-extensible',
  preferred: 'binding-preferred',
  example: 'code-unknown',
}

/** Asks whether a coded value is in the value set that it is bound to; reports a value without any code. */
export function checkBinding(spot: Spot, { strength, valueSet }: Binding, walk: Walk): void {
  if (valueSet === undefined || strength === 'example') return
  const codings = valueSet.startsWith(MIME_TYPES) ? mimeTypesAt(spot) : codingsAt(spot)
  if (codings === undefined) return
  if (codings.length > 0) {
    const inferSystem = typeof spot.value === 'string'
    ask(walk, {
      question: { valueSet, codings, inferSystem },
      strength,
      at: spot,
      profile: walk.profile,
    })
    return
  }
  // A primitive without value says by its extensions why.
  if (!isObject(spot.value) || (isA(spot.type, 'Quantity') && spot.value.value === undefined)) return
  if (strength === 'preferred') return
  report(walk, SEVERITY[strength]!, 'code-invalid', RULES[strength], spot, () =>
    strength === 'required'
      ? `There is no code here. Add one of the value set ${valueSet}.`
      : `There is no code here. Add one of the value set ${valueSet}, if any of its codes says what is meant.`,
  )
}

const UCUM = 'http://unitsofmeasure.org'
const UNITS = 'http://hl7.org/fhir/ValueSet/ucum-units'

/** Asks whether the unit of a quantity is one that UCUM can write. */
export function checkUnit(spot: Spot, walk: Walk): void {
  const { system, code } = spot.value as JsonObject
  if (system !== UCUM || typeof code !== 'string') return
  const question = { valueSet: UNITS, codings: [{ system, code }], inferSystem: false }
  ask(walk, { question, strength: 'required', isUnit: true, at: spot, profile: undefined })
}

const MIME_TYPES = 'http://hl7.org/fhir/ValueSet/mimetypes'

/** A MIME type is asked for without its parameters; xml, json and ttl are names that R4 gives to its own. */
function mimeTypesAt({ value }: Spot): AskedCoding[] | undefined {
  if (typeof value !== 'string') return undefined
  const code = value.split(';', 1)[0]!.trim()
  return code === 'xml' || code === 'json' || code === 'ttl' ? undefined : [{ code }]
}

/** Returns the codes of a value; undefined for a type that has none. */
export function codingsAt({ value, type }: Spot): AskedCoding[] | undefined {
  if (typeof value === 'string') return [{ code: value }]
  if (!isObject(value)) return undefined
  if (type === 'CodeableConcept') {
    const codings = Array.isArray(value.coding) ? value.coding : []
    return codings.flatMap(one => (isObject(one) ? codingOf(one) : []))
  }
  if (type === 'Coding' || isA(type, 'Quantity')) return codingOf(value)
  return undefined
}

function codingOf(coding: JsonObject): AskedCoding[] {
  const { code } = coding
  if (typeof code !== 'string') return []
  const asked: AskedCoding = { code }
  const system = text(coding.system)
  if (system !== undefined) asked.system = system
  const [version, display] = [text(coding.version), text(coding.display)]
  if (version !== undefined) asked.version = version
  if (display !== undefined) asked.display = display
  return [asked]
}

const text = (value: Json | undefined): string | undefined => (typeof value === 'string' ? value : undefined)

/** Reports what an answer means for the place that was asked about. */
export function judge(ask: Ask, answer: CodeAnswer, walk: Walk): void {
  if (ask.isUnit) {
    if (answer.result === 'out') judgeStranger(ask, ask.question.codings[0]!, walk, '.code')
    return
  }
  const { question, strength, at, profile } = ask
  const before = walk.profile
  walk.profile = profile
  const { valueSet, codings } = question
  if (answer.display !== undefined) {
    const sent = codings.find(({ display }) => display !== undefined)?.display ?? ''
    const right = answer.display
    report(
      walk,
      'warning',
      'code-invalid',
      'code-display',
      at,
      () =>
        `The display ${quoted(sent)} is not one of the code ${quoted(codings[0]!.code)}. Write ${quoted(right)}.`,
    )
  }
  const severity = SEVERITY[strength]
  if (severity !== undefined) {
    const codes = () =>
      codings
        .map(({ code, system }) => (system === undefined ? quoted(code) : `${quoted(code)} of ${system}`))
        .join(', ')
    const why = answer.why === undefined || answer.plain ? '' : ` ${sentence(answer.why)}`
    if (answer.result === 'out')
      report(
        walk,
        severity,
        'code-invalid',
        RULES[strength],
        at,
        () =>
          `${codings.length > 1 ? `None of ${codes()} is` : `${codes()} is not`} in the value set ${valueSet}, ${MEANS[strength]}.${why}`,
      )
    else if (answer.result === 'unknown' && strength !== 'preferred')
      report(
        walk,
        strength === 'required' ? 'warning' : 'information',
        'code-invalid',
        RULES[strength],
        at,
        () => `Whether ${codes()} is in the value set ${valueSet} cannot be told here.${why}`,
      )
  }
  walk.profile = before
}

/** Reports a code that its code system does not have. */
export function judgeStranger({ at }: Ask, { system, code }: AskedCoding, walk: Walk, below = ''): void {
  report(
    walk,
    'error',
    'code-invalid',
    'code-unknown',
    at,
    () => `The code system ${system} has no code ${quoted(code)}. Correct the code or the system.`,
    below,
  )
}

const MEANS: Readonly<Record<BindingStrength, string>> = {
  required: 'which is required: use one of its codes',
  extensible: 'whose codes are to be used where one of them says what is meant',
  preferred: 'whose codes are preferred',
  example: '',
}

const sentence = (text: string): string => (/[.?!]$/.test(text) ? text : `${text}.`)
