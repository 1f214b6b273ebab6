/**
 * What the operations of terminology have in common: which definition they are about, which code, and how they answer.
 * https://hl7.org/fhir/R4/terminology-service.html
 */
import type { DefinitionType } from '../conformance/canonical.ts'
import type { Context } from '../context.ts'
import { fhirError } from '../fhir/error.ts'
import { type JsonObject, parseJson, type Resource, writeJson } from '../fhir/json.ts'
import { objects, text } from '../fhir/terminology/code-system.ts'
import { NotListed } from '../fhir/terminology/not-listed.ts'
import { read } from '../interactions/read.ts'
import type { Held } from '../terminology/definitions.ts'
import type { Remote } from '../terminology/remote.ts'
import {
  type Answer,
  type Call,
  type InParameter,
  type Parameters,
  resourceOf,
  textOf,
  treeOf,
} from './operation.ts'

/** Returns when a question has to be answered, ms since 1970. */
export const deadlineOf = (ctx: Context): number => ctx.clock() + ctx.settings.limits.searchMs

export const parameter = (
  name: string,
  type: InParameter['type'],
  max: 1 | '*' = 1,
  resourceTypes?: readonly string[],
): InParameter => ({ name, type, min: 0, max, ...(resourceTypes && { resourceTypes }) })

/** Returns the Parameters resource of these. */
export const parametersOf = (parameters: readonly JsonObject[]): Resource => ({
  resourceType: 'Parameters',
  ...(parameters.length > 0 && { parameter: [...parameters] }),
})

export const parametersAnswer = (parameters: readonly JsonObject[]): Answer => ({
  text: writeJson(parametersOf(parameters)),
})

export const resourceAnswer = (resource: Resource): Answer => ({ text: writeJson(resource) })

const withVersion = (url: string, version: string | undefined): string =>
  version === undefined || url.includes('|') ? url : `${url}|${version}`

/** Where a definition is named: its parameter for the URL, for the resource itself, and for the version. */
export interface Naming {
  type: DefinitionType
  url: string
  inline: string
  version: string
}

/**
 * Returns the definition that a call is about, as a resource or a canonical.
 *
 * Throws `required` where none is named, `invalid` where several are; as read does for one that is an instance.
 */
export async function namedDefinition(
  ctx: Context,
  call: Parameters & Partial<Pick<Call, 'level' | 'id'>>,
  { type, url, inline, version }: Naming,
): Promise<Resource | string | undefined> {
  const [named, sent] = [textOf(call, url), resourceOf(call, inline)]
  const ways = [call.level === 'instance', named !== undefined, sent !== undefined].filter(Boolean).length
  if (ways > 1)
    throw fhirError('invalid', `The ${type} is named once: by the address, ${url}, or ${inline}.`, {
      expression: `http.${url}`,
    })
  if (call.level === 'instance') {
    const { text } = await read(ctx, type, call.id!)
    return parseJson(text, Number.POSITIVE_INFINITY) as Resource
  }
  return sent ?? (named === undefined ? undefined : withVersion(named, textOf(call, version)))
}

/** Definitions that come along, as clients of the FHIR ecosystem send them: they are found before those of the store. */
export const SENT_ALONG: InParameter = parameter('tx-resource', 'Resource', '*', [
  'CodeSystem',
  'ValueSet',
  'ConceptMap',
])

/** Returns the definitions that were sent, the one that the call is about first. */
export const sentDefinitions = (call: Parameters, named: Resource | string | undefined): Resource[] => [
  ...(typeof named === 'object' ? [named] : []),
  ...((call.trees.get(SENT_ALONG.name) ?? []) as Resource[]),
]

/** Throws `not-supported` for parameters that ask for definitions as they once were, or for what stands in profiles. */
export function refuseUnsupported(call: Parameters, ...names: readonly string[]): void {
  for (const name of names)
    if (call.texts.has(name))
      throw fhirError(
        'not-supported',
        `The parameter ${name} is not supported: ${WHY[name] ?? 'leave it out'}.`,
        {
          expression: `http.${name}`,
        },
      )
}

const WHY: Record<string, string> = {
  date: 'definitions are answered as they are now',
  context: 'name the value set by its url',
  contextDirection: 'name the value set by its url',
}

/** A code with what was sent beside it. */
export interface SentCode {
  system: string | undefined
  version: string | undefined
  code: string
  display: string | undefined
}

export interface CodeNames {
  /** The parameter for the system, `url` at CodeSystem/$validate-code. */
  system: string | undefined
  version: string
}

/**
 * Returns the codings that were sent, as code, coding or codeableConcept; those without a code are left out.
 *
 * Throws `required` where there is none, `invalid` where there are several ways at once.
 */
export function sentCodes(call: Parameters, { system, version }: CodeNames): SentCode[] {
  const [code, coding, concept] = [
    textOf(call, 'code'),
    treeOf(call, 'coding'),
    treeOf(call, 'codeableConcept'),
  ]
  const ways = [code, coding, concept].filter(one => one !== undefined).length
  if (ways !== 1)
    throw fhirError(
      ways === 0 ? 'required' : 'invalid',
      'Exactly one of code, coding and codeableConcept is sent.',
      {
        expression: 'http.code',
      },
    )
  if (code !== undefined)
    return [
      {
        system: system === undefined ? undefined : textOf(call, system),
        version: textOf(call, version),
        code,
        display: textOf(call, 'display'),
      },
    ]
  const codings = coding === undefined ? objects(concept?.coding) : [coding]
  const read = codings.flatMap(one => sentCoding(one) ?? [])
  if (read.length === 0)
    throw fhirError('required', 'There is no coding with a code.', { expression: 'http.coding' })
  return read
}

export function sentCoding(coding: JsonObject): SentCode | undefined {
  const code = text(coding.code)
  if (code === undefined) return undefined
  return { system: text(coding.system), version: text(coding.version), code, display: text(coding.display) }
}

/** Returns the coding as FHIR writes it. */
export const codingOf = ({ system, version, code, display }: Partial<SentCode>): JsonObject => ({
  ...(system !== undefined && { system }),
  ...(version !== undefined && { version }),
  ...(code !== undefined && { code }),
  ...(display !== undefined && { display }),
})

/** Throws the error that goes with a reason why something cannot be listed. */
export async function answering<T>(act: () => Promise<T>): Promise<T> {
  try {
    return await act()
  } catch (error) {
    if (!(error instanceof NotListed)) throw error
    throw notListed(error.kind, `This cannot be answered: ${error.message}.`)
  }
}

/** Returns the error for what cannot be listed: unknown 404, and 422 for what is too much or not understood. */
export const notListed = (kind: NotListed['kind'], diagnostics: string) =>
  fhirError(kind, diagnostics, { status: kind === 'not-found' ? 404 : 422 })

/**
 * Returns what the other server answers to the call, with its primitive and complex parameters.
 *
 * Throws `not-found` with `why` where there is no such server, or it does not know either; `transient` (503) where it does not answer as it should.
 */
export async function forwarded(
  remote: Remote | undefined,
  path: string,
  parameters: readonly JsonObject[],
  why: string,
): Promise<Answer> {
  if (remote === undefined) throw fhirError('not-found', why)
  const said = await remote.ask(path, parameters)
  const type = path.endsWith('$expand') ? 'ValueSet' : 'Parameters'
  if ('resource' in said && said.resource.resourceType === type) return resourceAnswer(said.resource)
  if ('resource' in said)
    throw fhirError('transient', `${why} The terminology server did not answer with a ${type} resource.`)
  if ('silent' in said)
    throw fhirError('transient', `${why} The terminology server could not be asked: ${said.silent}.`)
  throw fhirError('not-found', `${why} The terminology server does not know it either: ${said.refused}`)
}

/** Returns the parameters that name a value set to another server. */
export const byName = (canonical: string): JsonObject[] => {
  const bar = canonical.lastIndexOf('|')
  if (bar < 0) return [{ name: 'url', valueUri: canonical }]
  return [
    { name: 'url', valueUri: canonical.slice(0, bar) },
    { name: 'valueSetVersion', valueString: canonical.slice(bar + 1) },
  ]
}

/** Returns the name of a definition for sentences. */
export const nameOf = (definition: Resource | string): string =>
  (typeof definition === 'string' ? definition : (text(definition.url) ?? 'that was sent')).slice(0, 200)

/** Returns the definition itself. Throws `not-found` where a canonical names none. */
export async function definitionNamed(held: Held, type: DefinitionType, definition: Resource | string) {
  if (typeof definition !== 'string') return definition
  const found = await held.resource(type, definition)
  if (found === undefined)
    throw fhirError('not-found', `There is no ${type} ${nameOf(definition)} here.`, {
      expression: 'http.url',
    })
  return found
}
