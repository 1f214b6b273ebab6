/** Resources held against small profiles made by hand, without a server: definitions by canonical, answers of terminology by a function. */
import { readStructure } from '../../../../src/fhir/definitions/read-structure.ts'
import { snapshotOf } from '../../../../src/fhir/definitions/snapshot.ts'
import type { Structure } from '../../../../src/fhir/definitions/structure.ts'
import { builtInStructure } from '../../../../src/fhir/definitions/structures.ts'
import type { Issue } from '../../../../src/fhir/error.ts'
import { parseJson, type Resource } from '../../../../src/fhir/json.ts'
import type { Ask, CodeAnswer } from '../../../../src/fhir/validate/profile/ask.ts'
import { judge } from '../../../../src/fhir/validate/profile/bindings.ts'
import { checkAll } from '../../../../src/fhir/validate/profile/resource.ts'
import { issueOf } from '../../../../src/fhir/validate/profile/walk.ts'

export const URL = 'http://example.org/StructureDefinition'
export const CORE = 'http://hl7.org/fhir/StructureDefinition'

// biome-ignore lint/suspicious/noExplicitAny: trees as a test writes them
export type Tree = any

/** Returns a StructureDefinition with a differential; `elements` as `[id, rules]`, the path made of the id. */
export function definition(
  name: string,
  type: string,
  elements: readonly [string, object][],
  more: object = {},
): Tree {
  return {
    resourceType: 'StructureDefinition',
    url: `${URL}/${name}`,
    name,
    status: 'active',
    kind:
      /^[A-Z]/.test(type) && builtInStructure(`${CORE}/${type}`)?.kind === 'resource'
        ? 'resource'
        : 'complex-type',
    abstract: false,
    type,
    baseDefinition: `${CORE}/${type}`,
    derivation: 'constraint',
    differential: {
      element: elements.map(([id, rules]) => ({
        id,
        path: id.replace(/:[^.]*/g, ''),
        ...(/:([^.:]*)$/.test(id) && { sliceName: /:([^.:]*)$/.exec(id)![1] }),
        ...rules,
      })),
    },
    ...more,
  }
}

/** Returns an extension's definition, on `context`. */
export const extensionDefinition = (
  name: string,
  elements: readonly [string, object][],
  more: object = {},
): Tree =>
  definition(name, 'Extension', [['Extension.url', { fixedUri: `${URL}/${name}` }], ...elements], {
    context: [{ type: 'element', expression: 'Element' }],
    ...more,
  })

export interface HeldOptions {
  definitions?: readonly Tree[]
  /** Canonicals asked for by name. */
  asked?: readonly string[]
  always?: readonly string[]
  answer?: (ask: Ask) => CodeAnswer
}

const tree = (value: object): Resource => parseJson(JSON.stringify(value)) as Resource

/** Returns all issues, without the advice to have a narrative. */
export async function held(resource: Tree, options: HeldOptions = {}): Promise<Issue[]> {
  const { asked = [], always = [], answer = () => ({ result: 'in' as const }) } = options
  const own = new Map<string, Structure>()
  for (const one of options.definitions ?? []) own.set(one.url, readStructure(tree(one)))
  const find = async (canonical: string) => own.get(canonical.split('|')[0]!) ?? builtInStructure(canonical)
  const known = new Map<string, Structure | null>()
  const wanted = new Set<string>()
  const parsed = tree(resource)
  for (let round = 0; round < 12; round++) {
    wanted.clear()
    const walk = checkAll(
      parsed,
      parsed.resourceType,
      { asked, always },
      {
        find(canonical) {
          const at = known.get(canonical)
          if (at === undefined) wanted.add(canonical)
          return at
        },
        answer,
        broken: () => undefined,
      },
    )
    if (wanted.size === 0) {
      for (const ask of walk.sink.asks) judge(ask, answer(ask), walk)
      return walk.sink.findings.map(issueOf).filter(({ rule }) => rule !== 'dom-6')
    }
    for (const canonical of wanted) {
      const raw = await find(canonical)
      known.set(canonical, raw === undefined ? null : await snapshotOf(raw, find))
    }
  }
  throw new Error(`definitions go on and on: ${[...wanted]}`)
}

/** Returns `rule expression` of each error; with `all`, of warnings and information too, with the severity in front. */
export async function broken(resource: Tree, options: HeldOptions = {}, all = false): Promise<string[]> {
  const issues = await held(resource, options)
  return issues
    .filter(({ severity }) => all || severity === 'error')
    .map(({ severity, rule, expression }) => `${all ? `${severity} ` : ''}${rule} ${expression}`)
}

/** Returns a function that holds a resource against one profile of its type and gives `rule expression` of each error. */
export function profiled(type: string, elements: readonly [string, object][], options: HeldOptions = {}) {
  const profile = definition('p', type, elements)
  const all = { ...options, definitions: [profile, ...(options.definitions ?? [])], asked: [`${URL}/p`] }
  return (resource: Tree): Promise<string[]> => broken({ resourceType: type, ...resource }, all)
}

/** As `profiled`, with the sentences. */
export function sentences(type: string, elements: readonly [string, object][], options: HeldOptions = {}) {
  const profile = definition('p', type, elements)
  const all = { ...options, definitions: [profile, ...(options.definitions ?? [])], asked: [`${URL}/p`] }
  return async (resource: Tree): Promise<string> =>
    (await held({ resourceType: type, ...resource }, all)).map(({ diagnostics }) => diagnostics).join('\n')
}
