/**
 * What the index knows of one resource: flat rows, one per value and meaning. Extracted by `index-values.ts`, stored by the adapters,
 * evaluated in memory by `match.ts`.
 */
import type { ParamName } from './plan-node.ts'

export type IndexRow =
  /** system '' where there is none. `:of-type` has its own rows under `<param>:of-type`, `:identifier` under `<param>:identifier`. */
  | { kind: 'token'; param: ParamName; system: string; code: string }
  /** `folded` as `fold.ts` folds, `exact` as sent. The texts of tokens (`:text`) stand under `<param>:text`. */
  | { kind: 'string'; param: ParamName; folded: string; exact: string }
  | { kind: 'uri'; param: ParamName; value: string }
  /** ms since 1970; lo inclusive, hi exclusive. */
  | { kind: 'date'; param: ParamName; lo: number; hi: number }
  /** Decimal keys, both inclusive; unit keys as in `plan-node.ts`. Numbers have the unit key ANY_UNIT. */
  | { kind: 'quantity'; param: ParamName; unit: string; lo: string; hi: string }
  /** version '' where the reference names none. */
  | { kind: 'reference'; param: ParamName; type: string; id: string; version: string }
  /** The words of the narrative (`_text`) or of the whole resource (`_content`), folded, each once; at most one row per parameter. */
  | { kind: 'words'; param: ParamName; words: readonly string[] }
  /** Degrees of WGS84. */
  | { kind: 'position'; param: ParamName; latitude: number; longitude: number }
  /**
   * The smallest and the largest sort key, compared by UTF-8 bytes; at most one row per parameter. `of: 'token'`: they are the smallest and
   * the largest code, '' aside, of the parameter's token rows, and there is no row where these have no code. Of a parameter with date rows
   * they are the `dateKey` (`params/date.ts`) of the smallest and the largest `lo`.
   */
  | { kind: 'sort'; param: ParamName; min: string; max: string; of?: 'token' }

/** Every literal reference of a resource stands under this name when referential integrity is enforced. */
export const ANY_REFERENCE: ParamName = '_reference'
