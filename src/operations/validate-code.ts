/**
 * `$validate-code` of CodeSystem and ValueSet, and many of them in one request.
 * https://hl7.org/fhir/R4/valueset-operation-validate-code.html, https://hl7.org/fhir/R4/codesystem-operation-validate-code.html
 */
import type { Context } from '../context.ts'
import { FhirError, fhirError } from '../fhir/error.ts'
import { isObject, type JsonObject, parseJson } from '../fhir/json.ts'
import { outcomeText } from '../fhir/outcome.ts'
import { text } from '../fhir/terminology/code-system.ts'
import { implicitValueSet } from '../fhir/terminology/implicit.ts'
import { type Checked, type CheckOptions, checkCodes } from '../terminology/check-code.ts'
import { definitionsOf, type Held } from '../terminology/definitions.ts'
import {
  answering,
  byName,
  codingOf,
  deadlineOf,
  forwarded,
  namedDefinition,
  nameOf,
  parameter,
  parametersAnswer,
  parametersOf,
  refuseUnsupported,
  SENT_ALONG,
  type SentCode,
  sentCodes,
  sentDefinitions,
} from './code-parameters.ts'
import {
  type Answer,
  type Call,
  type InParameter,
  type Operation,
  type Parameters,
  textOf,
} from './operation.ts'
import { givenByResource, readParameters } from './parameters.ts'

const COMMON: readonly InParameter[] = [
  parameter('url', 'uri'),
  parameter('code', 'code'),
  parameter('display', 'string'),
  parameter('coding', 'Coding'),
  parameter('codeableConcept', 'CodeableConcept'),
  parameter('date', 'dateTime'),
  parameter('abstract', 'boolean'),
  parameter('displayLanguage', 'code'),
  // Not of R4, but asked by validators of its ecosystem.
  parameter('lenient-display-validation', 'boolean'),
  SENT_ALONG,
]

const OF_CODE_SYSTEM = [
  ...COMMON,
  parameter('codeSystem', 'Resource', 1, ['CodeSystem']),
  parameter('version', 'string'),
]

const OF_VALUE_SET = [
  ...COMMON,
  parameter('context', 'uri'),
  parameter('valueSet', 'Resource', 1, ['ValueSet']),
  parameter('valueSetVersion', 'string'),
  parameter('system', 'uri'),
  parameter('systemVersion', 'string'),
  parameter('inferSystem', 'boolean'),
]

export const validateCodeOfSystem: Operation = {
  name: 'validate-code',
  definition: 'http://hl7.org/fhir/OperationDefinition/CodeSystem-validate-code',
  types: ['CodeSystem'],
  levels: ['type', 'instance'],
  affectsState: false,
  parameters: OF_CODE_SYSTEM,
  run: ofSystem,
}

export const validateCodeOfSet: Operation = {
  name: 'validate-code',
  definition: 'http://hl7.org/fhir/OperationDefinition/ValueSet-validate-code',
  types: ['ValueSet'],
  levels: ['type', 'instance'],
  affectsState: false,
  parameters: OF_VALUE_SET,
  run: ofSet,
}

/** As terminology servers of the FHIR ecosystem have it: each `validation` is a Parameters resource with what one request would have. */
const batched = (single: Operation): Operation => ({
  name: 'batch-validate-code',
  definition: `urn:nadi:operation:${single.types![0]}-batch-validate-code`,
  types: single.types,
  levels: ['type'],
  affectsState: false,
  parameters: [
    parameter('validation', 'Resource', '*', ['Parameters']),
    ...single.parameters.filter(({ name }) => SHARED.has(name)),
  ],
  run: (ctx, call) => runBatch(ctx, single, call),
})

/** Parameters that stand once for all that do not say otherwise. */
const SHARED = new Set([
  'url',
  'valueSet',
  'codeSystem',
  'valueSetVersion',
  'abstract',
  'displayLanguage',
  'inferSystem',
  'lenient-display-validation',
  SENT_ALONG.name,
])

export const batchValidateCodeOfSystem = batched(validateCodeOfSystem)
export const batchValidateCodeOfSet = batched(validateCodeOfSet)

function optionsOf(call: Parameters): CheckOptions {
  const abstract = textOf(call, 'abstract')
  const language = textOf(call, 'displayLanguage')
  return {
    ...(abstract !== undefined && { abstract: abstract === 'true' }),
    ...(language !== undefined && { language }),
    inferSystem: textOf(call, 'inferSystem') === 'true',
    lenientDisplay: textOf(call, 'lenient-display-validation') === 'true',
  }
}

/** Throws `not-found` (404) for a code system that is not known. */
async function ofSystem(ctx: Context, call: Call): Promise<Answer> {
  refuseUnsupported(call, 'date')
  const named = await namedDefinition(ctx, call, {
    type: 'CodeSystem',
    url: 'url',
    inline: 'codeSystem',
    version: 'version',
  })
  const codes = sentCodes(call, { system: undefined, version: 'version' })
  const canonical =
    (typeof named === 'string' ? named : named && text(named.url)) ??
    (named === undefined ? codes[0]!.system : undefined)
  if (canonical === undefined)
    throw fhirError('required', 'The code system is named by url, codeSystem or the system of the coding.', {
      expression: 'http.url',
    })
  const held = definitionsOf(ctx, deadlineOf(ctx), sentDefinitions(call, named))
  const [url] = canonical.split('|')
  const foreign = codes.filter(({ system }) => system !== undefined && system !== url)
  const own = codes.filter(one => !foreign.includes(one))
  if (own.length === 0)
    return parametersAnswer(
      written({
        result: false,
        message: `The system of the coding is ${foreign[0]!.system!.slice(0, 200)}, not ${url!.slice(0, 200)}.`,
      }),
    )
  const known = await answering(() => isHeld(held, canonical))
  if (!known)
    return forwarded(
      held.remote,
      'CodeSystem/$validate-code',
      [...forSystem(url!, own), ...optionsFor(call)],
      `There is no code system ${canonical.slice(0, 200)} here.`,
    )
  return parametersAnswer(
    written(await answering(() => checkCodes(held, { codeSystem: canonical }, own, optionsOf(call)))),
  )
}

async function isHeld(held: Held, canonical: string): Promise<boolean> {
  const graph = await held.codeSystem(canonical)
  if (graph !== undefined && graph.content !== 'not-present' && graph.content !== 'supplement') return true
  return (await held.askedSystem(canonical)) !== undefined
}

function forSystem(url: string, codes: readonly SentCode[]): JsonObject[] {
  const [{ code, version, display }] = codes as [SentCode]
  const named = { name: 'url', valueUri: url }
  if (codes.length > 1) return [named, allOf(codes.map(one => ({ ...one, system: url })))]
  return [
    named,
    { name: 'code', valueCode: code },
    ...(version === undefined ? [] : [{ name: 'version', valueString: version }]),
    ...(display === undefined ? [] : [{ name: 'display', valueString: display }]),
  ]
}

const allOf = (codes: readonly SentCode[]): JsonObject => ({
  name: 'codeableConcept',
  valueCodeableConcept: { coding: codes.map(codingOf) },
})

/** What another server has to know to answer as it would be answered here. */
const optionsFor = (call: Call): JsonObject[] => {
  const language = textOf(call, 'displayLanguage')
  return [
    ...['abstract', 'lenient-display-validation'].flatMap(name => {
      const sent = textOf(call, name)
      return sent === undefined ? [] : [{ name, valueBoolean: sent === 'true' }]
    }),
    ...(language === undefined ? [] : [{ name: 'displayLanguage', valueCode: language }]),
  ]
}

function forSet(canonical: string, codes: readonly SentCode[]): JsonObject[] {
  const [only] = codes as [SentCode]
  const bare = only.system === undefined && codes.length === 1
  return [
    ...byName(canonical),
    ...(codes.length > 1
      ? [allOf(codes)]
      : bare
        ? [
            { name: 'code', valueCode: only.code },
            { name: 'inferSystem', valueBoolean: true },
            ...(only.display === undefined ? [] : [{ name: 'display', valueString: only.display }]),
          ]
        : [{ name: 'coding', valueCoding: codingOf(only) }]),
  ]
}

/** Throws `not-found` (404) for a value set that is not known; `required` for a code without a system. */
async function ofSet(ctx: Context, call: Call): Promise<Answer> {
  refuseUnsupported(call, 'date', 'context')
  const named = await namedDefinition(ctx, call, {
    type: 'ValueSet',
    url: 'url',
    inline: 'valueSet',
    version: 'valueSetVersion',
  })
  if (named === undefined)
    throw fhirError('required', 'The value set is named by url or valueSet.', { expression: 'http.url' })
  const options = optionsOf(call)
  const codes = sentCodes(call, { system: 'system', version: 'systemVersion' })
  if (call.texts.has('code') && codes[0]!.system === undefined && !options.inferSystem)
    throw fhirError('required', 'A code is sent with its system, or with inferSystem.', {
      expression: 'http.system',
    })
  const held = definitionsOf(ctx, deadlineOf(ctx), sentDefinitions(call, named))
  const known =
    typeof named === 'object' ||
    (await answering(async () => implicitValueSet(named) ?? (await held.valueSet(named)))) !== undefined
  if (!known)
    return forwarded(
      held.remote,
      'ValueSet/$validate-code',
      [...forSet(named as string, codes), ...optionsFor(call)],
      `There is no value set ${nameOf(named)} here.`,
    )
  return parametersAnswer(
    written(await answering(() => checkCodes(held, { valueSet: named }, codes, options))),
  )
}

const written = ({
  result,
  message,
  display,
  code,
  system,
  version,
  unknownSystem,
}: Checked): JsonObject[] => [
  { name: 'result', valueBoolean: result },
  ...(message === undefined ? [] : [{ name: 'message', valueString: message }]),
  ...(display === undefined ? [] : [{ name: 'display', valueString: display }]),
  // Beyond R4, and in all later versions: what the answer is about.
  ...(code === undefined ? [] : [{ name: 'code', valueCode: code }]),
  ...(system === undefined ? [] : [{ name: 'system', valueUri: system }]),
  ...(version === undefined ? [] : [{ name: 'version', valueString: version }]),
  ...(unknownSystem === undefined
    ? []
    : [{ name: 'x-caused-by-unknown-system', valueCanonical: unknownSystem }]),
]

/** Validations of one request. */
const MOST_VALIDATIONS = 1000

/** Returns a `validation` for each that was sent, in their order: Parameters, or an OperationOutcome where it could not be asked. */
async function runBatch(ctx: Context, single: Operation, call: Call): Promise<Answer> {
  const validations = call.trees.get('validation') ?? []
  if (validations.length === 0)
    throw fhirError('required', 'There is no parameter validation.', { expression: 'http.validation' })
  if (validations.length > MOST_VALIDATIONS)
    throw fhirError('too-costly', `At most ${MOST_VALIDATIONS} validations are taken.`, { status: 422 })
  const shared = [...call.texts].flatMap(([name, values]) => values.map(value => ({ name, value })))
  const resources = [...call.trees].flatMap(([name, trees]) =>
    name === 'validation' ? [] : trees.map(resource => ({ name, value: { resource } })),
  )
  const answers: JsonObject[] = []
  for (const validation of validations) {
    answers.push({
      name: 'validation',
      resource: await one(ctx, single, call, validation, [...shared, ...resources]),
    })
  }
  return parametersAnswer(answers)
}

async function one(
  ctx: Context,
  single: Operation,
  call: Call,
  validation: JsonObject,
  shared: Shared,
): Promise<JsonObject> {
  try {
    const given = givenByResource(validation)
    const own = new Set(given.map(({ name }) => name).filter(name => name !== SENT_ALONG.name))
    const names = ['url', 'valueSet', 'codeSystem']
    // Who names a definition of its own does not want the one of all.
    const named = names.some(name => own.has(name))
    const others = shared.filter(({ name }) => !own.has(name) && !(named && names.includes(name)))
    const read = readParameters(single, [...given, ...others], call.lenient)
    const answer = await single.run(ctx, { ...call, ...read, level: 'type' })
    const tree = parseJson(answer.text as string, Number.POSITIVE_INFINITY)
    return isObject(tree) ? tree : parametersOf([])
  } catch (error) {
    if (!(error instanceof FhirError)) throw error
    return parseJson(outcomeText(error)) as JsonObject
  }
}

type Shared = readonly { name: string; value: string | { resource: JsonObject } }[]
