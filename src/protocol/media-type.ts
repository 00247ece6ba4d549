const LONGEST = 255

/** RFC 2045 §5.1 with the restricted names of RFC 6838 §4.2: `type/subtype`, perhaps with parameters whose values are
 *  tokens or quoted strings. Neither comments nor RFC 2231 extensions: nobody writes them where a type is asked for,
 *  and readers disagree about them. */
const MEDIA_TYPE =
  /^[A-Za-z0-9][\w!#$&^.+-]{0,126}\/[A-Za-z0-9][\w!#$&^.+-]{0,126}(?:[ \t]*;[ \t]*[\w!#$&^.+-]+=(?:[\w!#$&^.+-]+|"[ !#-[\]-~]*"))*$/

/** Whether a text can stand in Content-Type as it is: ASCII, one line, nothing left open. */
export function isMediaType(text: string): boolean {
  return text.length <= LONGEST && MEDIA_TYPE.test(text)
}
