/**
 * Invariants of R4 written out, since every resource meets them: the FHIRPath of each is the second half of its key.
 * https://hl7.org/fhir/R4/domainresource.html#invs
 */
import { isObject, type Json, type JsonObject, NumberText } from '../../json.ts'
import type { Spot } from './spot.ts'
import type { Walk } from './walk.ts'

/** Returns where it is broken, as what stands after the place: '' for the place itself. Undefined where it holds. */
type Native = (spot: Spot, walk: Walk) => string | undefined

const objects = (value: Json | undefined): JsonObject[] =>
  Array.isArray(value) ? value.filter(isObject) : []
const resourceOf = (spot: Spot): JsonObject => spot.value as JsonObject

/** dom-3: what is contained is referred to from elsewhere in the resource, or refers to its container. */
function orphan(spot: Spot): string | undefined {
  const resource = resourceOf(spot)
  if (resource.contained === undefined || !Array.isArray(resource.contained)) return undefined
  const used = new Set<string>()
  collect(resource, used)
  for (let i = 0; i < resource.contained.length; i++) {
    const one = resource.contained[i]
    if (!isObject(one) || typeof one.id !== 'string') continue
    if (used.has(`#${one.id}`)) continue
    const own = new Set<string>()
    collect(one, own)
    if (!own.has('#')) return `.contained[${i}]`
  }
  return undefined
}

function collect(value: Json | undefined, into: Set<string>): void {
  if (typeof value === 'string') {
    if (value.charCodeAt(0) === 35) into.add(value)
  } else if (Array.isArray(value)) for (const one of value) collect(one, into)
  else if (isObject(value)) for (const name in value) collect(value[name], into)
}

/** dom-4 and dom-5 */
const containedMeta =
  (names: readonly string[]): Native =>
  spot => {
    const list = resourceOf(spot).contained
    if (!Array.isArray(list)) return undefined
    for (let i = 0; i < list.length; i++) {
      const meta = isObject(list[i]) ? (list[i] as JsonObject).meta : undefined
      if (!isObject(meta)) continue
      const name = names.find(one => meta[one] !== undefined)
      if (name !== undefined) return `.contained[${i}].meta.${name}`
    }
    return undefined
  }

/** dom-6 */
const narrative: Native = spot => {
  const { text } = resourceOf(spot)
  return isObject(text) && typeof text.div === 'string' ? undefined : ''
}

/** The names of definitions that software reads: `name.matches('[A-Z]([A-Za-z0-9_]){0,254}')`, which R4 means of the whole name. */
const computable: Native = spot => {
  const { name } = resourceOf(spot)
  return typeof name !== 'string' || /^[A-Z][A-Za-z0-9_]{0,254}$/.test(name) ? undefined : '.name'
}

/** obs-7: no component has the code of the value. */
const componentCodes: Native = spot => {
  const observation = resourceOf(spot)
  const components = objects(observation.component)
  if (components.length === 0) return undefined
  if (!Object.keys(observation).some(name => /^_?value[A-Z]/.test(name))) return undefined
  const codes = new Set(codingKeys(observation.code))
  return components.some(({ code }) => codingKeys(code).some(key => codes.has(key))) ? '' : undefined
}

const codingKeys = (concept: Json | undefined): string[] =>
  isObject(concept)
    ? objects(concept.coding).map(({ system, code, version, display, userSelected }) =>
        JSON.stringify([
          system ?? null,
          code ?? null,
          version ?? null,
          display ?? null,
          userSelected ?? null,
        ]),
      )
    : []

/** obs-6 */
const absentReason: Native = spot => {
  const observation = resourceOf(spot)
  if (observation.dataAbsentReason === undefined) return undefined
  return Object.keys(observation).some(name => /^_?value[A-Z]/.test(name)) ? '.dataAbsentReason' : undefined
}

const has =
  (names: readonly string[]): Native =>
  spot => {
    const object = resourceOf(spot)
    return names.some(name => object[name] !== undefined) ? undefined : ''
  }

/** The first has no meaning without the second. */
const needs =
  (first: string, second: string): Native =>
  spot => {
    const object = resourceOf(spot)
    return object[first] !== undefined && object[second] === undefined ? `.${second}` : undefined
  }

const excludes =
  (first: string, second: string): Native =>
  spot => {
    const object = resourceOf(spot)
    return object[first] !== undefined && object[second] !== undefined ? `.${second}` : undefined
  }

/** ras-2 and que-7 say of what is absent that it has a type, which is neither true nor false; what they mean is written here. */
const probability: Native = spot => {
  const value = resourceOf(spot).probabilityDecimal
  return value instanceof NumberText && Number(value.text) > 100 ? '.probability' : undefined
}
const existsAnswer: Native = spot => {
  const { operator, answerBoolean } = resourceOf(spot)
  return operator === 'exists' && typeof answerBoolean !== 'boolean' ? '.answer' : undefined
}

const NAMED = [
  'adf',
  'cpb',
  'cid',
  'csd',
  'cpd',
  'cmd',
  'ees',
  'evd',
  'evi',
  'evv',
  'esc',
  'gdf',
  'ig',
  'lib',
  'mea',
  'msd',
  'nsd',
  'opd',
  'pdf',
  'que',
  'rsd',
  'red',
  'rvs',
  'spd',
  'sdf',
  'smp',
  'tcp',
  'tst',
  'vsd',
]

/** By key and expression, so that a profile that gives a key another meaning is not mistaken. */
export const NATIVE: ReadonlyMap<string, Native> = new Map<string, Native>([
  [
    "dom-3 contained.where((('#'+id in (%resource.descendants().reference | %resource.descendants().as(canonical) | %resource.descendants().as(uri) | %resource.descendants().as(url))) or descendants().where(reference = '#').exists() or descendants().where(as(canonical) = '#').exists() or descendants().where(as(canonical) = '#').exists()).not()).trace('unmatched', id).empty()",
    orphan,
  ],
  [
    'dom-4 contained.meta.versionId.empty() and contained.meta.lastUpdated.empty()',
    containedMeta(['versionId', 'lastUpdated']),
  ],
  ['dom-5 contained.meta.security.empty()', containedMeta(['security'])],
  ['dom-6 text.`div`.exists()', narrative],
  ...NAMED.map(key => [`${key}-0 name.matches('[A-Z]([A-Za-z0-9_]){0,254}')`, computable] as const),
  ['ras-2 probability is decimal implies (probability as decimal) <= 100', probability],
  ["que-7 operator = 'exists' implies (answer is Boolean)", existsAnswer],
  ['obs-6 dataAbsentReason.empty() or value.empty()', absentReason],
  [
    'obs-7 value.empty() or component.code.where(coding.intersect(%resource.code.coding).exists()).empty()',
    componentCodes,
  ],
  ['cmp-1 text.exists() or entry.exists() or section.exists()', has(['text', 'entry', 'section'])],
  ['cmp-2 emptyReason.empty() or entry.empty()', excludes('emptyReason', 'entry')],
  ['qty-3 code.empty() or system.exists()', needs('code', 'system')],
  ['cpt-2 value.empty() or system.exists()', needs('value', 'system')],
  ['att-1 data.empty() or contentType.exists()', needs('data', 'contentType')],
  [
    'pat-1 name.exists() or telecom.exists() or address.exists() or organization.exists()',
    has(['name', 'telecom', 'address', 'organization']),
  ],
])
