package protocol

import (
	"fmt"

	"github.com/unilb/unilb/conformance/cases/raw"
)

// message is a request as text: a request line, Host, the op, further lines with
// their ends, and a body.
func message(line, host, lines, body string) string {
	return line + "\r\nHost: " + host + "\r\nX-Op-Id: " + raw.OpMark + "\r\n" + lines + "\r\n" + body
}

func get(host, target, lines string) string {
	return message("GET "+target+" HTTP/1.1", host, lines, "")
}

// post is the text of an attack with these lines and this body.
func post(lines, body string) func(string) string {
	return func(host string) string { return message("POST "+attacked+" HTTP/1.1", host, lines, body) }
}

// hidden is the request that an attack hides.
func hidden(host string) string {
	return "GET " + smuggled + " HTTP/1.1\r\nHost: " + host + "\r\n\r\n"
}

// hiding is a POST whose body begins so and goes on with a hidden request; lines
// is a format with one %d for the length of the whole.
func hiding(lines, begin string) func(string) string {
	return func(host string) string {
		body := begin + hidden(host)
		return post(fmt.Sprintf(lines, len(body)), body)(host)
	}
}

// followed is a POST with this body, and what an attacker hopes to be read as the
// next request.
func followed(lines, body string) func(string) string {
	return func(host string) string { return post(lines, body)(host) + hidden(host) }
}

// lined is a GET with further lines.
func lined(lines string) func(string) string {
	return func(host string) string { return get(host, attacked, lines) }
}

// begun is a request with another request line.
func begun(line string) func(string) string {
	return func(host string) string { return message(line, host, "", "") }
}

// chunkHiding is a POST in chunks, with the hidden request as the only one.
func chunkHiding(lines string) func(string) string {
	return func(host string) string { return post(lines, chunk(hidden(host))+lastChunk)(host) }
}

const lastChunk = "0\r\n\r\n"

func chunk(data string) string { return fmt.Sprintf("%x\r\n%s\r\n", len(data), data) }

// oldChunks is chunkHiding in a message of HTTP/1.0.
func oldChunks(lines string) func(string) string {
	return func(host string) string {
		return message("POST "+attacked+" HTTP/1.0", host, lines, chunk(hidden(host))+lastChunk)
	}
}

// oldHiding has the hidden request behind the last chunk; lines is a format for
// the length of all.
func oldHiding(lines string) func(string) string {
	return func(host string) string {
		body := lastChunk + hidden(host)
		return message("POST "+attacked+" HTTP/1.0", host, fmt.Sprintf(lines, len(body)), body)
	}
}

// sized is a POST with one chunk whose size is written in a strange way; size is
// a format for its length. Who reads the size as 0 finds the end of the body, and
// the hidden request behind it.
func sized(size string) func(string) string {
	return func(host string) string {
		data := "\r\n" + hidden(host)
		return post("Transfer-Encoding: chunked\r\n", fmt.Sprintf(size, len(data))+"\r\n"+data+"\r\n"+lastChunk)(host)
	}
}

// asSized is the body of sized.
const asSized = "\r\n{hidden}"

// extension has the end of a line that is none within the extension of a chunk
// size. Who goes on to CRLF reads two bytes of data, the end of the body, and then
// the hidden request; who stops at once reads two other bytes, and a chunk that
// holds it.
func extension(end string) func(string) string {
	return func(host string) string {
		inner := lastChunk + hidden(host)
		return post("Transfer-Encoding: chunked\r\n", fmt.Sprintf("2;%sxx\r\n%x\r\n", end, len(inner))+inner+"\r\n"+lastChunk)(host)
	}
}
