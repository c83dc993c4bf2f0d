// Package std owns the library engine: net/http on both sides, adapted to the
// exchange. It is the reference that faster engines are compared with, and the
// only package of the data path that imports net/http.
//
// It speaks HTTP/1.1 and, when asked, HTTP/2 to clients, and to targets what their pool
// says: HTTP/1.1, or HTTP/2 by connections that many requests share.
//
// One goroutine carries one exchange. Strings of net/http are no views, so
// nothing is copied on their behalf (Request.Stable).
//
// It never decides where a request goes, nor what is answered when there is
// nowhere to go, except to messages it cannot even hand over: a malformed path, two
// ways to frame one body, Connection or Trailer naming what they must not, heads of HTTP/2
// that the library takes and are none (400), and CONNECT (405). An Engine is safe for concurrent use.
package std
