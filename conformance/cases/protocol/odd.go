package protocol

import (
	"fmt"
	"strings"

	"github.com/unilb/unilb/conformance/cases/raw"
)

// before is a GET with something before its request line.
func before(text string) func(string) string {
	return func(host string) string { return text + get(host, attacked, "") }
}

// leading is a GET with a line between request line and fields.
func leading(line string) func(string) string {
	return func(host string) string {
		return strings.Replace(get(host, attacked, ""), "\r\nHost", "\r\n"+line+"Host", 1)
	}
}

// bareLF is another text with other ends of its lines.
func bareLF(text func(string) string) func(string) string {
	return func(host string) string { return strings.ReplaceAll(text(host), "\r\n", "\n") }
}

// absolute is a GET with a target in absolute form; Host says the same host, with
// something before it.
func absolute(before string) func(string) string {
	return func(host string) string {
		return message("GET http://"+host+attacked+" HTTP/1.1", before+host, "", "")
	}
}

// hosts is a GET with these lines Host.
func hosts(values ...string) func(string) string {
	return func(host string) string {
		text := "GET " + attacked + " HTTP/1.1\r\nX-Op-Id: " + raw.OpMark + "\r\n"
		for _, v := range values {
			text += "Host: " + strings.ReplaceAll(v, "{host}", host) + "\r\n"
		}
		return text + "\r\n"
	}
}

// last is a GET with further lines, and a hidden request behind it.
func last(lines string) func(string) string {
	return func(host string) string { return get(host, attacked, lines) + hidden(host) }
}

// oldest is the same in HTTP/1.0.
func oldest(lines string) func(string) string {
	return func(host string) string {
		return message("GET "+attacked+" HTTP/1.0", host, lines, "") + hidden(host)
	}
}

// elsewhere is a POST for a host that has no route, with a body that looks like a
// request for one that has. lines is a format for its length.
func elsewhere(lines string, body func(string) string) func(string) string {
	return func(host string) string {
		b := body(host)
		if strings.Contains(lines, "%d") {
			return message("POST "+attacked+" HTTP/1.1", "none."+host, fmt.Sprintf(lines, len(b)), b)
		}
		return message("POST "+attacked+" HTTP/1.1", "none."+host, lines, b)
	}
}

// bodied is a request of any method with a hidden request as its body.
func bodied(method string, chunked bool) func(string) string {
	return func(host string) string {
		lines, body := fmt.Sprintf("Content-Length: %d\r\n", len(hidden(host))), hidden(host)
		if chunked {
			lines, body = "Transfer-Encoding: chunked\r\n", chunk(body)+lastChunk
		}
		return message(method+" "+attacked+" HTTP/1.1", host, lines, body)
	}
}

// long is a GET with n lines of so many bytes.
func long(n, size int) func(string) string {
	return func(host string) string {
		lines := ""
		for i := range n {
			line := fmt.Sprintf("X-Long-%d: ", i)
			lines += line + strings.Repeat("x", max(1, size-len(line)-2)) + "\r\n"
		}
		return get(host, attacked, lines)
	}
}

// farTarget is a GET with a target of so many bytes.
func farTarget(size int) func(string) string {
	return func(host string) string {
		begin := attacked + "?q="
		return get(host, begin+strings.Repeat("x", size-len(begin)), "")
	}
}

// What must hold of a request that was passed on.

// holds: there is one field of the name, and it holds the parts in this order with
// nothing but blanks between them.
func holds(name string, parts ...string) func(string, raw.Request) error {
	return func(_ string, r raw.Request) error {
		vs := r.Fields.Values(name)
		if len(vs) != 1 || strings.Join(strings.Fields(vs[0]), " ") != strings.Join(parts, " ") {
			return fmt.Errorf("it arrived with %s %q, want %q with blanks between", name, vs, parts)
		}
		return nil
	}
}

// lacks: there is no such field.
func lacks(name string) func(string, raw.Request) error {
	return func(_ string, r raw.Request) error {
		if vs := r.Fields.Values(name); len(vs) > 0 {
			return fmt.Errorf("it arrived with a field %s: %q", name, vs)
		}
		return nil
	}
}

// says: some field of the name holds the text, or none does.
func says(name, text string, want bool) func(string, raw.Request) error {
	return func(_ string, r raw.Request) error {
		if got := strings.Contains(strings.Join(r.Fields.Values(name), "\n"), text); got != want {
			return fmt.Errorf("%s is %q", name, r.Fields.Values(name))
		}
		return nil
	}
}

// trails: there is such a trailer.
func trails(name, value string) func(string, raw.Request) error {
	return func(_ string, r raw.Request) error {
		if got := r.Trailers.Get(name); got != value {
			return fmt.Errorf("it arrived with the trailer %s %q, want %q", name, got, value)
		}
		return nil
	}
}

// forHost: Host is that of the case.
func forHost(host string, r raw.Request) error {
	if got := r.Fields.Get("Host"); got != host {
		return fmt.Errorf("it arrived with Host %q, want %q", got, host)
	}
	return nil
}

// counts: all lines of long are there.
func counts(n int) func(string, raw.Request) error {
	return func(_ string, r raw.Request) error {
		got := 0
		for _, f := range r.Fields {
			if strings.HasPrefix(strings.ToLower(f.Name), "x-long-") {
				got++
			}
		}
		if got != n {
			return fmt.Errorf("%d of %d lines arrived", got, n)
		}
		return nil
	}
}

// reaches: the target has its length.
func reaches(n int) func(string, raw.Request) error {
	return func(_ string, r raw.Request) error {
		if len(r.Target) != n {
			return fmt.Errorf("the target arrived with %d bytes, want %d", len(r.Target), n)
		}
		return nil
	}
}
