/** Why the codes of a value set or code system cannot be listed. */

/** `message` goes on after "because": "it has more than 10000 codes". Who is asked from outside turns it into an answer. */
export class NotListed extends Error {
  readonly kind: 'not-found' | 'too-costly' | 'not-supported'
  constructor(message: string, kind: NotListed['kind'] = 'not-supported') {
    super(message)
    this.kind = kind
  }
}
