/**
 * `$lookup`: what is known of one code.
 * https://hl7.org/fhir/R4/codesystem-operation-lookup.html
 */
import type { Context } from '../context.ts'
import { fhirError } from '../fhir/error.ts'
import type { JsonObject } from '../fhir/json.ts'
import { designationsOf } from '../fhir/terminology/code-system.ts'
import { definitionsOf } from '../terminology/definitions.ts'
import {
  displayIn,
  type LookedUp,
  lookUpCode,
  type Neighbour,
  propertiesOf,
  speaks,
} from '../terminology/lookup.ts'
import {
  answering,
  codingOf,
  deadlineOf,
  forwarded,
  parameter,
  parametersAnswer,
  refuseUnsupported,
  SENT_ALONG,
  sentCodes,
  sentDefinitions,
} from './code-parameters.ts'
import { type Answer, type Call, type Operation, textOf } from './operation.ts'

export const lookup: Operation = {
  name: 'lookup',
  definition: 'http://hl7.org/fhir/OperationDefinition/CodeSystem-lookup',
  types: ['CodeSystem'],
  levels: ['type'],
  affectsState: false,
  parameters: [
    parameter('code', 'code'),
    parameter('system', 'uri'),
    parameter('version', 'string'),
    parameter('coding', 'Coding'),
    parameter('date', 'dateTime'),
    parameter('displayLanguage', 'code'),
    parameter('property', 'code', '*'),
    SENT_ALONG,
  ],
  run,
}

/**
 * Returns Parameters with name, version, display, designations and properties.
 *
 * Throws `required` without a code or a system; `not-found` (404) for a code system, or a code, that is not known.
 */
async function run(ctx: Context, call: Call): Promise<Answer> {
  refuseUnsupported(call, 'date')
  const [sent] = sentCodes(call, { system: 'system', version: 'version' })
  const { system, version, code } = sent!
  if (system === undefined)
    throw fhirError('required', '$lookup needs the system of the code.', { expression: 'http.system' })
  const held = definitionsOf(ctx, deadlineOf(ctx), sentDefinitions(call, undefined))
  const canonical = version === undefined ? system : `${system}|${version}`
  const found = await answering(() => lookUpCode(held, canonical, code))
  const properties = new Set(call.texts.get('property') ?? [])
  const language = textOf(call, 'displayLanguage')
  if (!('missing' in found)) return parametersAnswer(parametersFor(found, properties, language))
  if (found.missing === 'code')
    throw fhirError(
      'not-found',
      `The code system ${canonical.slice(0, 200)} has no code ${code.slice(0, 100)}.`,
      {
        expression: 'http.code',
      },
    )
  return forwarded(
    held.remote,
    'CodeSystem/$lookup',
    [
      { name: 'coding', valueCoding: codingOf({ system, version, code }) },
      ...(language === undefined ? [] : [{ name: 'displayLanguage', valueCode: language }]),
      ...[...properties].map(valueCode => ({ name: 'property', valueCode })),
    ],
    found.missing === 'part'
      ? `Of the code system ${canonical.slice(0, 200)} a part is held here, which does not have this code.`
      : `There is no code system ${canonical.slice(0, 200)} here.`,
  )
}

function parametersFor(
  found: LookedUp,
  asked: ReadonlySet<string>,
  language: string | undefined,
): JsonObject[] {
  const { concept, name, version, definition, parents, children, named } = found
  const wants = (property: string): boolean => asked.size === 0 || asked.has(property)
  const wantsLanguage = (one: string | undefined): boolean =>
    one !== undefined && [...asked].some(name => name.startsWith('lang.') && speaks(one, name.slice(5)))
  const designations = designationsOf(concept.source).filter(
    one => wants('designation') || wantsLanguage(one.language),
  )
  const display = displayIn(concept, language) ?? concept.code
  const around = (code: string, list: readonly Neighbour[]): JsonObject[] =>
    wants(code) ? list.map(one => property(code, { valueCode: one.code }, one.display)) : []
  return [
    { name: 'name', valueString: name },
    ...(version === undefined ? [] : [{ name: 'version', valueString: version }]),
    { name: 'display', valueString: display },
    ...designations.map(({ language, use, value }) => ({
      name: 'designation',
      part: [
        ...(language === undefined ? [] : [{ name: 'language', valueCode: language }]),
        ...(use === undefined ? [] : [{ name: 'use', valueCoding: use }]),
        { name: 'value', valueString: value },
      ],
    })),
    ...(definition !== undefined && wants('definition')
      ? [property('definition', { valueString: definition })]
      : []),
    ...around('parent', parents),
    ...around('child', children),
    ...propertiesOf(concept)
      .filter(({ code }) => wants(code) && code !== 'parent' && code !== 'child')
      .map(({ code, value }) => property(code, value, named.get(String(value.valueCode)))),
  ]
}

const property = (code: string, value: JsonObject, description?: string): JsonObject => ({
  name: 'property',
  part: [
    { name: 'code', valueCode: code },
    { name: 'value', ...value },
    ...(description === undefined ? [] : [{ name: 'description', valueString: description }]),
  ],
})
