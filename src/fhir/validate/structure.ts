/**
 * Structural validation: elements, types, cardinality, formats, required bindings, references and contained resources.
 * https://hl7.org/fhir/R4/validation.html
 */
import { isResourceType, RESOURCE_TYPES } from '../definitions/resource-types.ts'
import type { Issue } from '../error.ts'
import { isObject, type JsonObject, type Resource } from '../json.ts'
import { typeChecks } from './compile.ts'
import { prefix, quoted, type Run, report } from './issues.ts'
import { closest } from './suggest.ts'

export interface StructureOptions {
  /**
   * Whether references may be searches such as `Patient?identifier=x`, which a server resolves in a transaction. The entries of a Bundle
   * of type transaction may hold them in any case.
   */
  conditionalReferences?: boolean
  /**
   * A transaction has resolved the links of the resource, and R4 has it do so in elements of type uuid and oid too, which then hold `Type/id`.
   * https://hl7.org/fhir/R4/http.html#trules
   */
  linked?: boolean
}

const checkOf = typeChecks({ contained, nested: outermost })

/**
 * Returns every fault of a resource that is to be of type `type`, in the order of the text; none where it is sound. Each issue's
 * expression is the FHIRPath of its place, such as `Patient.name[0].family`. Of more than 500 faults the first 500 are listed.
 */
export function validateStructure(resource: Resource, type: string, options: StructureOptions = {}): Issue[] {
  const run: Run = {
    issues: [],
    container: undefined,
    contained: undefined,
    conditionalReferences: options.conditionalReferences ?? false,
    linked: options.linked ?? false,
  }
  const stated = resource.resourceType
  if (isObject(resource) && typeof stated === 'string' && stated !== type && isResourceType(stated))
    report(run, 'value', '.resourceType', `The resourceType is ${stated}, where ${type} is expected.`)
  outermost(resource, run)
  prefix(run, 0, typeof stated === 'string' && isResourceType(stated) ? stated : type)
  return run.issues
}

/** Checks a resource that is not contained in another: the one given, or one in a Bundle or in Parameters. */
function outermost(resource: JsonObject, run: Run): void {
  const { container, contained: types, conditionalReferences } = run
  run.container = resource
  run.contained = undefined
  if (resource.resourceType === 'Bundle' && resource.type === 'transaction') run.conditionalReferences = true
  const check = checkOfResource(resource, run)
  check?.(resource, run)
  run.container = container
  run.contained = types
  run.conditionalReferences = conditionalReferences
}

/** Checks a resource in `contained`, where the container is known. */
function contained(resource: JsonObject, run: Run): void {
  const check = checkOfResource(resource, run)
  if (check === undefined) return
  if (typeof resource.id !== 'string')
    report(run, 'required', '.id', 'A contained resource needs an id, so that #id can refer to it.')
  if (resource.contained !== undefined)
    report(
      run,
      'invariant',
      '.contained',
      'A contained resource contains none itself (dom-2). Move it up to the container.',
    )
  check(resource, run)
}

/** Returns the check of a resource by its resourceType; reports and returns undefined where that is not one of R4's. */
function checkOfResource(
  resource: JsonObject,
  run: Run,
): ((object: JsonObject, run: Run) => void) | undefined {
  const type = resource.resourceType
  if (typeof type === 'string' && isResourceType(type)) return checkOf(type)
  if (type === undefined)
    report(run, 'required', '.resourceType', 'resourceType is required. Name a resource type of R4.')
  else if (typeof type !== 'string')
    report(run, 'structure', '.resourceType', 'resourceType must be a string.')
  else {
    const near = closest(type, RESOURCE_TYPES)
    const advice = near === undefined ? 'Name a resource type of R4.' : `Did you mean ${near}?`
    report(run, 'value', '.resourceType', `There is no resource type ${quoted(type)}. ${advice}`)
  }
  return undefined
}
