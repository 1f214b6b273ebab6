/**
 * The resource types of R4.
 * https://hl7.org/fhir/R4/resourcelist.html
 */
import { RESOURCES } from './types.ts'

/** All concrete resource types, sorted. */
export const RESOURCE_TYPES: readonly string[] = RESOURCES

const known: ReadonlySet<string> = new Set(RESOURCE_TYPES)

/** Returns whether there is a concrete resource type of that name. */
export function isResourceType(name: string): boolean {
  return known.has(name)
}
