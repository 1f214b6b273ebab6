/**
 * What FHIR adds to FHIRPath: extensions, references, terminology, profiles, narrative, and reflection.
 * https://hl7.org/fhir/R4/fhirpath.html#functions
 */
import { isObject } from '../../json.ts'
import { htmlFault } from '../../validate/narrative.ts'
import { type Functions, onAll, single, textOf } from '../compiled.ts'
import type { Environment } from '../environment.ts'
import { pathFault } from '../fault.ts'
import { stepTo } from '../navigate.ts'
import { isOfType, isTypeName } from '../types.ts'
import { EMPTY, logical, type PathValue, system, type Values } from '../value.ts'

const toExtensions = stepTo('extension')

function extension(input: Values, url: string | undefined, env: Environment): Values {
  if (url === undefined) return EMPTY
  const out: PathValue[] = []
  for (const value of input) toExtensions(value, out, env)
  return out.filter(({ value }) => isObject(value) && value.url === url)
}

function resolve(input: Values, env: Environment): Values {
  const { resolve } = env
  if (resolve === undefined) return EMPTY
  return input.flatMap(reference => resolve(reference) ?? [])
}

const BASE = 'http://hl7.org/fhir/StructureDefinition/'

function conformsTo(input: Values, profile: string | undefined, env: Environment): Values {
  const value = single(input)
  if (value === undefined || profile === undefined) return EMPTY
  const known = env.conformsTo?.(value, profile)
  if (known !== undefined) return logical(known)
  const type = profile.startsWith(BASE) ? profile.slice(BASE.length) : ''
  if (!isTypeName(type)) throw pathFault(`the profile ${profile.slice(0, 200)} is not known`)
  return logical(isOfType(value.type, { fhir: type, system: undefined }))
}

function memberOf(input: Values, valueSet: string | undefined, env: Environment): Values {
  const value = single(input)
  if (value === undefined || valueSet === undefined) return EMPTY
  return logical(env.memberOf?.(value, valueSet))
}

function typeOf({ type }: PathValue): Values {
  const isSystem = type.startsWith('System.')
  const name = isSystem ? type.slice(7) : type
  return system('TypeInfo', { namespace: isSystem ? 'System' : 'FHIR', name })
}

function htmlChecks(input: Values): Values {
  const value = single(input)
  if (value === undefined) return EMPTY
  return logical(typeof value.value === 'string' && htmlFault(value.value) === undefined)
}

export const FHIR_FUNCTIONS: Functions = [
  ['extension', onAll(1, 1, (input, [url], env) => extension(input, textOf(url!), env))],
  ['resolve', onAll(0, 0, (input, _, env) => resolve(input, env))],
  ['conformsTo', onAll(1, 1, (input, [profile], env) => conformsTo(input, textOf(profile!), env))],
  ['memberOf', onAll(1, 1, (input, [valueSet], env) => memberOf(input, textOf(valueSet!), env))],
  ['htmlChecks', onAll(0, 0, input => htmlChecks(input))],
  ['type', onAll(0, 0, input => input.flatMap(typeOf))],
  [
    'getValue',
    onAll(0, 0, (input, _, env) => {
      const out: PathValue[] = []
      const toValue = stepTo('value')
      const value = single(input)
      if (value !== undefined) toValue(value, out, env)
      return out
    }),
  ],
]
