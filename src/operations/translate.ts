/**
 * `$translate`: what concept maps make of a code.
 * https://hl7.org/fhir/R4/conceptmap-operation-translate.html
 */
import type { Context } from '../context.ts'
import { fhirError } from '../fhir/error.ts'
import type { JsonObject, Resource } from '../fhir/json.ts'
import { objects, text } from '../fhir/terminology/code-system.ts'
import { conceptMapsFor } from '../terminology/concept-maps.ts'
import { definitionsOf } from '../terminology/definitions.ts'
import { type Match, translated } from '../terminology/translation.ts'
import {
  answering,
  codingOf,
  deadlineOf,
  forwarded,
  namedDefinition,
  parameter,
  parametersAnswer,
  SENT_ALONG,
  type SentCode,
  sentCodes,
  sentDefinitions,
} from './code-parameters.ts'
import { type Answer, type Call, type Operation, textOf, treeOf } from './operation.ts'

export const translate: Operation = {
  name: 'translate',
  definition: 'http://hl7.org/fhir/OperationDefinition/ConceptMap-translate',
  types: ['ConceptMap'],
  levels: ['type', 'instance'],
  affectsState: false,
  parameters: [
    parameter('url', 'uri'),
    parameter('conceptMap', 'Resource', 1, ['ConceptMap']),
    parameter('conceptMapVersion', 'string'),
    parameter('code', 'code'),
    parameter('system', 'uri'),
    parameter('version', 'string'),
    parameter('source', 'uri'),
    parameter('coding', 'Coding'),
    parameter('codeableConcept', 'CodeableConcept'),
    parameter('target', 'uri'),
    parameter('targetsystem', 'uri'),
    {
      ...parameter('dependency', 'parts', '*'),
      parts: [parameter('element', 'uri'), parameter('concept', 'CodeableConcept')],
    },
    parameter('reverse', 'boolean'),
    SENT_ALONG,
  ],
  run,
}

/**
 * Returns Parameters with result and the matches.
 *
 * Throws `required` without a code or its system; `not-found` (404) for a concept map that is named and not known.
 */
async function run(ctx: Context, call: Call): Promise<Answer> {
  const deadline = deadlineOf(ctx)
  const named = await namedDefinition(ctx, call, {
    type: 'ConceptMap',
    url: 'url',
    inline: 'conceptMap',
    version: 'conceptMapVersion',
  })
  const codes = sentCodes(call, { system: 'system', version: 'version' })
  if (codes.every(({ system }) => system === undefined))
    throw fhirError('required', '$translate needs the system of the code.', { expression: 'http.system' })
  const held = definitionsOf(ctx, deadline, sentDefinitions(call, named))
  const resource = typeof named === 'string' ? await held.resource('ConceptMap', named) : named
  if (named !== undefined && resource === undefined)
    return forwarded(
      held.remote,
      'ConceptMap/$translate',
      outOf(call, codes[0]!),
      `There is no concept map ${String(named).slice(0, 200)} here.`,
    )

  const reverse = textOf(call, 'reverse') === 'true'
  const targetSystem = textOf(call, 'targetsystem')
  const matches: Match[] = []
  const missing = new Set<string>()
  let asked = 0
  for (const { system, version, code } of codes) {
    if (system === undefined) continue
    const maps =
      resource !== undefined
        ? [resource as Resource]
        : await conceptMapsFor(
            ctx,
            { system, targetSystem, reverse, source: textOf(call, 'source'), target: textOf(call, 'target') },
            deadline,
          )
    asked += maps.length
    const found = await answering(() =>
      translated(held, maps, {
        system,
        version,
        code,
        targetSystem,
        reverse,
        dependencies: dependenciesOf(call),
      }),
    )
    matches.push(...found.matches)
    for (const one of found.missing) missing.add(one)
  }
  if (asked === 0 && held.remote !== undefined)
    return forwarded(
      held.remote,
      'ConceptMap/$translate',
      outOf(call, codes[0]!),
      'There is no concept map for this code here.',
    )
  return parametersAnswer(written(matches, asked, missing))
}

/** A match that says that there is none. https://hl7.org/fhir/R4/valueset-concept-map-equivalence.html */
const isNone = ({ equivalence }: Match): boolean => equivalence === 'unmatched' || equivalence === 'disjoint'

function written(matches: readonly Match[], maps: number, missing: ReadonlySet<string>): JsonObject[] {
  const result = matches.some(match => !isNone(match))
  const hint =
    missing.size === 0 ? '' : ` More may match with a dependency on ${[...missing].slice(0, 5).join(', ')}.`
  const why = result
    ? hint.trim()
    : `${maps === 0 ? 'There is no concept map for this code here.' : 'No concept map has a match for the code.'}${hint}`
  return [
    { name: 'result', valueBoolean: result },
    ...(why === '' ? [] : [{ name: 'message', valueString: why }]),
    ...matches.map(({ equivalence, concept, products, source }) => ({
      name: 'match',
      part: [
        { name: 'equivalence', valueCode: equivalence },
        ...(concept === undefined ? [] : [{ name: 'concept', valueCoding: concept }]),
        ...products.map(product => ({
          name: 'product',
          part: [
            { name: 'element', valueUri: product.element },
            { name: 'concept', valueCoding: product.concept },
          ],
        })),
        ...(source === undefined ? [] : [{ name: 'source', valueUri: source }]),
      ],
    })),
  ]
}

const dependenciesOf = (call: Call) =>
  (call.parts.get('dependency') ?? []).flatMap(part => {
    const element = textOf(part, 'element')
    const concept = treeOf(part, 'concept')
    if (element === undefined || concept === undefined) return []
    const codes = objects(concept.coding).flatMap(one => {
      const value = text(one.code)
      return value === undefined ? [] : [{ system: text(one.system), value }]
    })
    const words = text(concept.text)
    return [
      { element, values: words === undefined ? codes : [...codes, { system: undefined, value: words }] },
    ]
  })

const outOf = (call: Call, code: SentCode): JsonObject[] => [
  ...(['url', 'source', 'target', 'targetsystem'] as const).flatMap(name => {
    const value = textOf(call, name)
    return value === undefined ? [] : [{ name, valueUri: value }]
  }),
  { name: 'coding', valueCoding: codingOf(code) },
  ...(textOf(call, 'reverse') === 'true' ? [{ name: 'reverse', valueBoolean: true }] : []),
]
