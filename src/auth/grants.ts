/** What a limited principal may do, by resource type: held where interactions read and commit. */

export interface Grants {
  read: ReadonlySet<string>
  write: ReadonlySet<string>
}

/** Returns whether resources of the type may be read, or written. Without grants everything may. */
export const isGranted = (grants: Grants | undefined, what: keyof Grants, type: string): boolean =>
  grants === undefined || grants[what].has(type)
