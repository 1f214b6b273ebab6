/** Keys of resources, as references name them: `Patient/1`. */
import type { Key } from '../../storage/port.ts'

export const keyOf = (type: string, id: string): Key => `${type}/${id}`
export const typeOf = (key: Key): string => key.slice(0, key.indexOf('/'))
