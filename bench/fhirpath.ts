/**
 * What the invariants of R4's own definitions cost on a Patient and on an Observation of about 2 KB: microseconds for each resource.
 * Run: node --import ./src/require-node.mjs bench/fhirpath.ts
 */
import { readFileSync } from 'node:fs'
import { isObject, type Json, type JsonObject, NumberText, parseJson } from '../src/fhir/json.ts'
import { environment } from '../src/fhir/path/environment.ts'
import { compileInvariant } from '../src/fhir/path/invariant.ts'
import { putChildren } from '../src/fhir/path/navigate.ts'
import type { Path } from '../src/fhir/path/path.ts'
import { parentOf } from '../src/fhir/path/types.ts'
import { type PathValue, pathValue } from '../src/fhir/path/value.ts'

const DEFINITIONS = new URL('../node_modules/hl7.fhir.r4.examples/', import.meta.url)
const ROUNDS = 20_000

interface Rule {
  key: string
  path: Path
}

const rules = new Map<string, readonly Rule[]>()

/** Returns the invariants on values of a type: those that its definition has at its root, or on the element of a backbone. */
function rulesOf(type: string): readonly Rule[] {
  let found = rules.get(type)
  if (found === undefined) {
    const base = parentOf(type)
    const own = readRules(type)
    const inherited = base === undefined || base === type ? [] : rulesOf(base)
    found = [...inherited, ...own.filter(rule => !inherited.some(other => other.key === rule.key))]
    rules.set(type, found)
  }
  return found
}

function readRules(type: string): Rule[] {
  const name = type.split('.')[0]!
  let definition: {
    snapshot: { element: { path: string; constraint?: { key: string; expression?: string }[] }[] }
  }
  try {
    definition = JSON.parse(readFileSync(new URL(`StructureDefinition-${name}.json`, DEFINITIONS), 'utf8'))
  } catch {
    return type === '' ? [] : readRules('Element')
  }
  const constraints = definition.snapshot.element.find(({ path }) => path === type)?.constraint ?? []
  return constraints.flatMap(({ key, expression }) =>
    expression === undefined ? [] : [{ key, path: compileInvariant(expression) }],
  )
}

interface Held {
  value: PathValue
  rules: readonly Rule[]
}

/** Returns each value of a resource with the invariants that it is held against. */
function held(value: PathValue, out: Held[] = []): Held[] {
  out.push({ value, rules: rulesOf(value.type) })
  const children: PathValue[] = []
  putChildren(value, children)
  for (const child of children) held(child, out)
  return out
}

function check(resource: PathValue, values: readonly Held[]): number {
  const env = environment({ resource, rootResource: resource })
  let broken = 0
  for (const { value, rules } of values)
    for (const { path } of rules) if (path.holds(value, env) === false) broken++
  return broken
}

function measure(resource: JsonObject): void {
  const root = pathValue(resource, resource.resourceType as string)
  const values = held(root)
  const count = values.reduce((sum, { rules }) => sum + rules.length, 0)
  const broken = check(root, values)
  for (let i = 0; i < ROUNDS; i++) check(root, values)
  const rounds: number[] = []
  for (let round = 0; round < 5; round++) {
    const start = performance.now()
    for (let i = 0; i < ROUNDS; i++) check(root, values)
    rounds.push(((performance.now() - start) * 1000) / ROUNDS)
  }
  const best = Math.min(...rounds)
  const size = JSON.stringify(plain(resource)).length
  console.log(
    `${root.type}: ${size} bytes, ${values.length} values, ${count} invariants, ${broken} broken: ` +
      `${best.toFixed(1)} us a resource, ${((best * 1000) / count).toFixed(0)} ns an invariant`,
  )
}

const plain = (json: Json): unknown =>
  json instanceof NumberText
    ? Number(json.text)
    : Array.isArray(json)
      ? json.map(plain)
      : isObject(json)
        ? Object.fromEntries(Object.entries(json).map(([name, value]) => [name, plain(value!)]))
        : json

for (const name of ['Patient-f001', 'Observation-blood-pressure', 'Bundle-father']) {
  const text = readFileSync(new URL(`${name}.json`, DEFINITIONS), 'utf8')
  const resource = parseJson(text) as JsonObject
  // The narrative is text to an invariant, whatever its length.
  if (isObject(resource.text)) resource.text.div = '<div xmlns="http://www.w3.org/1999/xhtml">Narrative</div>'
  measure(resource)
}
