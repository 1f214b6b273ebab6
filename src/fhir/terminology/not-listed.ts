/** Why the codes of a value set or code system cannot be listed. */

/** `message` goes on after "because": "it has more than 10000 codes". Never leaves this folder. */
export class NotListed extends Error {}
