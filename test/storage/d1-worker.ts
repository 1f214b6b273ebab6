/** The smallest Worker that holds a D1 binding; the contract suite talks to the binding from outside. */
export default { fetch: () => new Response('ok') }
