/**
 * A StructureDefinition resource as a Structure: what is nonsense in it is refused.
 * https://hl7.org/fhir/R4/structuredefinition.html, https://hl7.org/fhir/R4/elementdefinition.html
 */
import { fhirError } from '../error.ts'
import { isObject, type Json, type JsonObject, NumberText, type Resource } from '../json.ts'
import { idOf, type Step, stepsOf } from './element-places.ts'
import type { BindingStrength, Constraint, ElementRule, Slicing, Structure, TypeRule } from './structure.ts'

/** Elements of one definition; the largest of R4 has 300, generated snapshots of large guides some thousands. */
export const MOST_ELEMENTS = 20_000
/** Types, profiles, constraints and the like of one element. */
const MOST_PARTS = 500
/** Steps of a path, and characters of a path or id. */
const MOST_STEPS = 40
const MOST_LETTERS = 1000

const KINDS = ['primitive-type', 'complex-type', 'resource', 'logical'] as const
const PATH = /^[A-Za-z][\w-]*(?:\.[A-Za-z_][\w-]*(?:\[x\])?)*$/
const FHIR_TYPE = 'http://hl7.org/fhir/StructureDefinition/structuredefinition-fhir-type'
const SYSTEM_TYPE = 'http://hl7.org/fhirpath/System.'

/** The types whose names begin with a small letter. */
const PRIMITIVES: ReadonlySet<string> = new Set(
  (
    'base64Binary boolean canonical code date dateTime decimal id instant integer markdown oid positiveInt string time ' +
    'unsignedInt uri url uuid'
  ).split(' '),
)

/**
 * Returns what the definition says: its snapshot where it has one, its differential otherwise. Codes of FHIRPath's types become FHIR's.
 *
 * Throws `required`, `value`, `structure` or `too-costly` for what cannot be the definition of anything, naming the place.
 */
export function readStructure(resource: Resource): Structure {
  if (resource.resourceType !== 'StructureDefinition')
    throw refuse('structure', 'a StructureDefinition is needed here', '')
  const url = textOf(resource, 'url', '')
  const version = optionalText(resource, 'version', '')
  const type = textOf(resource, 'type', '')
  const kind = codeOf(resource, 'kind', KINDS, '')
  const derivation = optionalCode(resource, 'derivation', ['specialization', 'constraint'] as const, '')
  const base = optionalText(resource, 'baseDefinition', '')
  if (derivation !== undefined && base === undefined)
    throw refuse(
      'required',
      'what derives from another definition names it in baseDefinition',
      'baseDefinition',
    )
  const whole = isObject(resource.snapshot)
  const view = whole ? 'snapshot' : 'differential'
  if (!whole && !isObject(resource.differential))
    throw refuse('required', 'a snapshot or a differential is needed', 'differential')
  const rows = listOf(resource[view] as JsonObject, 'element', view)
  if (rows.length === 0) throw refuse('required', 'at least one element is needed', `${view}.element`)
  if (rows.length > MOST_ELEMENTS)
    throw refuse('too-costly', `at most ${MOST_ELEMENTS} elements can be read`, `${view}.element`)
  const root = type.slice(type.lastIndexOf('/') + 1)
  const known = new Set<string>()
  let steps: Step[] = []
  const elements = rows.map((row, i) => {
    const at = `${view}.element[${i}]`
    const path = pathOf(row, root, at)
    const sliceName = optionalText(row, 'sliceName', at)
    steps = stepsOf(
      { id: optionalText(row, 'id', at), path, ...(sliceName !== undefined && { sliceName }) },
      steps,
    )
    const id = idOf(steps)
    if (id.length > 2 * MOST_LETTERS)
      throw refuse('too-costly', 'the id or the names of slices are too long', at)
    if (known.has(id)) throw refuse('structure', `the element "${id}" stands twice`, at)
    known.add(id)
    const rule = readElement(row, id, path, at, kind)
    if (sliceName !== undefined) rule.sliceName = sliceName
    if (whole && (rule.min === undefined || rule.max === undefined))
      throw refuse('required', 'every element of a snapshot has min and max', at)
    return rule
  })
  const contexts = optionalList(resource, 'context', '').map((one, i) => ({
    type: codeOf(one, 'type', ['fhirpath', 'element', 'extension'] as const, `context[${i}]`),
    expression: textOf(one, 'expression', `context[${i}]`),
  }))
  return {
    url,
    version,
    type,
    kind,
    abstract: resource.abstract === true,
    derivation,
    base,
    context: contexts,
    contextInvariant: texts(resource, 'contextInvariant', ''),
    snapshot: whole,
    elements,
  }
}

function pathOf(row: JsonObject, root: string, at: string): string {
  const path = textOf(row, 'path', at)
  if (path.length > MOST_LETTERS || !PATH.test(path))
    throw refuse('value', 'the path is no path of an element, such as "Patient.name.given"', `${at}.path`)
  const steps = path.split('.')
  if (steps.length > MOST_STEPS)
    throw refuse('too-costly', `paths of more than ${MOST_STEPS} names cannot be read`, `${at}.path`)
  if (steps[0] !== root)
    throw refuse('value', `the path does not begin with the type, "${root}"`, `${at}.path`)
  return path
}

function readElement(
  row: JsonObject,
  id: string,
  path: string,
  at: string,
  kind: Structure['kind'],
): ElementRule {
  const rule: ElementRule = { id, path }
  const slicing = row.slicing
  if (slicing !== undefined) rule.slicing = readSlicing(slicing, `${at}.slicing`)
  const min = count(row.min, `${at}.min`)
  if (min !== undefined) rule.min = min
  const max = readMax(row.max, `${at}.max`)
  if (max !== undefined) rule.max = max
  if (min !== undefined && max !== undefined && min > max)
    throw refuse('value', 'min is above max', `${at}.min`)
  const types = optionalList(row, 'type', at)
  if (types.length > 0) {
    const resourceId = kind === 'resource' && /^[^.]+\.id$/.test(path)
    rule.types = types.map((one, i) => readType(one, `${at}.type[${i}]`, resourceId))
  }
  const reference = optionalText(row, 'contentReference', at)
  // Newer tools write the whole address, `http://hl7.org/fhir/StructureDefinition/Questionnaire#Questionnaire.item`.
  if (reference !== undefined) rule.contentReference = reference.slice(Math.max(0, reference.indexOf('#')))
  for (const name in row) {
    const found = /^(fixed|pattern|minValue|maxValue)([A-Z]\w*)$/.exec(name)
    if (found === null || row[name] === undefined) continue
    const small = found[2]![0]!.toLowerCase() + found[2]!.slice(1)
    const kindOfValue = found[1] as 'fixed' | 'pattern' | 'minValue' | 'maxValue'
    if (rule[kindOfValue] !== undefined)
      throw refuse('structure', `only one ${kindOfValue}[x] can stand here`, `${at}.${name}`)
    rule[kindOfValue] = { type: PRIMITIVES.has(small) ? small : found[2]!, value: row[name]! }
  }
  const length = count(row.maxLength, `${at}.maxLength`)
  if (length !== undefined) rule.maxLength = length
  if (row.binding !== undefined) rule.binding = readBinding(row.binding, `${at}.binding`)
  const constraints = optionalList(row, 'constraint', at)
  if (constraints.length > 0)
    rule.constraints = constraints.map((one, i) => readConstraint(one, `${at}.constraint[${i}]`))
  if (typeof row.isModifier === 'boolean') rule.modifier = row.isModifier
  if (typeof row.mustSupport === 'boolean') rule.mustSupport = row.mustSupport
  return rule
}

function readSlicing(value: Json, at: string): Slicing {
  const slicing = objectOf(value, at)
  return {
    discriminators: optionalList(slicing, 'discriminator', at).map((one, i) => ({
      type: codeOf(
        one,
        'type',
        ['value', 'exists', 'pattern', 'type', 'profile'] as const,
        `${at}.discriminator[${i}]`,
      ),
      path: textOf(one, 'path', `${at}.discriminator[${i}]`),
    })),
    ordered: slicing.ordered === true,
    rules: codeOf(slicing, 'rules', ['closed', 'open', 'openAtEnd'] as const, at),
  }
}

function readType(type: JsonObject, at: string, resourceId: boolean): TypeRule {
  const code = textOf(type, 'code', at)
  const aggregation = texts(type, 'aggregation', at)
  const known = ['contained', 'referenced', 'bundled'] as const
  return {
    code: code.startsWith(SYSTEM_TYPE) ? (resourceId ? 'id' : fhirType(type, code)) : code,
    profiles: texts(type, 'profile', at),
    targets: texts(type, 'targetProfile', at),
    aggregation: known.filter(one => aggregation.includes(one)),
  }
}

/** R4 says string of resources' ids, yet gives them the syntax of the id type. */
function fhirType(type: JsonObject, code: string): string {
  for (const extension of Array.isArray(type.extension) ? type.extension : []) {
    if (!isObject(extension) || extension.url !== FHIR_TYPE) continue
    const value = extension.valueUrl ?? extension.valueUri
    if (typeof value === 'string') return value
  }
  const name = code.slice(SYSTEM_TYPE.length)
  return name[0]!.toLowerCase() + name.slice(1)
}

function readBinding(value: Json, at: string): ElementRule['binding'] {
  const binding = objectOf(value, at)
  const strengths: readonly BindingStrength[] = ['required', 'extensible', 'preferred', 'example']
  return {
    strength: codeOf(binding, 'strength', strengths, at),
    valueSet: optionalText(binding, 'valueSet', at),
  }
}

function readConstraint(constraint: JsonObject, at: string): Constraint {
  const source = optionalText(constraint, 'source', at)
  return {
    key: textOf(constraint, 'key', at),
    severity: codeOf(constraint, 'severity', ['error', 'warning'] as const, at),
    human: optionalText(constraint, 'human', at) ?? '',
    expression: optionalText(constraint, 'expression', at),
    ...(source !== undefined && { source }),
  }
}

type Refusal = 'structure' | 'required' | 'value' | 'too-costly'

function refuse(code: Refusal, what: string, at: string) {
  const expression = at === '' ? 'StructureDefinition' : `StructureDefinition.${at}`
  return fhirError(code, `The StructureDefinition cannot be used: ${what}.`, { expression, status: 422 })
}

const within = (at: string, name: string): string => (at === '' ? name : `${at}.${name}`)

function objectOf(value: Json | undefined, at: string): JsonObject {
  if (!isObject(value)) throw refuse('structure', 'an object is expected', at)
  return value
}

function listOf(object: JsonObject, name: string, at: string): JsonObject[] {
  const value = object[name]
  if (!Array.isArray(value)) throw refuse('structure', 'an array is expected', within(at, name))
  return value.map((one, i) => objectOf(one, `${within(at, name)}[${i}]`))
}

function optionalList(object: JsonObject, name: string, at: string): JsonObject[] {
  if (object[name] === undefined) return []
  const list = listOf(object, name, at)
  if (list.length > MOST_PARTS)
    throw refuse('too-costly', `at most ${MOST_PARTS} can be read`, within(at, name))
  return list
}

function textOf(object: JsonObject, name: string, at: string): string {
  const value = object[name]
  if (value === undefined) throw refuse('required', `${name} is missing`, within(at, name))
  if (typeof value !== 'string' || value === '')
    throw refuse('structure', `${name} has to be a text`, within(at, name))
  return value
}

const optionalText = (object: JsonObject, name: string, at: string): string | undefined =>
  object[name] === undefined ? undefined : textOf(object, name, at)

function texts(object: JsonObject, name: string, at: string): string[] {
  const value = object[name]
  if (value === undefined) return []
  if (!Array.isArray(value)) throw refuse('structure', 'an array is expected', within(at, name))
  if (value.length > MOST_PARTS)
    throw refuse('too-costly', `at most ${MOST_PARTS} can be read`, within(at, name))
  // A null holds the place of an extension.
  return value.filter(one => typeof one === 'string')
}

function codeOf<T extends string>(object: JsonObject, name: string, codes: readonly T[], at: string): T {
  const text = textOf(object, name, at)
  const code = codes.find(one => one === text)
  if (code === undefined)
    throw refuse('value', `${name} has to be one of ${codes.join(', ')}`, within(at, name))
  return code
}

const optionalCode = <T extends string>(
  object: JsonObject,
  name: string,
  codes: readonly T[],
  at: string,
): T | undefined => (object[name] === undefined ? undefined : codeOf(object, name, codes, at))

function count(value: Json | undefined, at: string): number | undefined {
  if (value === undefined) return undefined
  const number = value instanceof NumberText ? Number(value.text) : Number.NaN
  if (!Number.isInteger(number) || number < 0 || number > 2 ** 31)
    throw refuse('value', 'a whole number, not below 0, is expected', at)
  return number
}

function readMax(value: Json | undefined, at: string): number | undefined {
  if (value === undefined) return undefined
  if (value === '*') return Number.POSITIVE_INFINITY
  if (typeof value !== 'string' || !/^[0-9]{1,9}$/.test(value))
    throw refuse('value', 'max is a whole number as a text, or "*"', at)
  return Number(value)
}
