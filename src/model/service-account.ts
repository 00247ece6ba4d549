/** Whose mail is that belongs to no customer: what goes back over rewritten addresses, to the operator, and to people
 *  about their own sign-in. Every start sees to a row of this id, for messages and lanes to refer to; nobody is
 *  a member of it, and who asks for an account does not find it. */
export const SERVICE_ACCOUNT = '0'.repeat(32)
