package admit

import "fmt"

// plainPage is what nginx answers, but for its name.
const plainPage = "<html>\r\n<head><title>400 The plain HTTP request was sent to HTTPS port</title></head>\r\n<body>\r\n<center><h1>400 Bad Request</h1></center>\r\n" +
	"<center>The plain HTTP request was sent to HTTPS port</center>\r\n<hr><center>APISIX</center>\r\n</body>\r\n</html>\r\n"

// PlainRequest is the whole answer to a client that speaks HTTP where TLS is spoken, for
// which nothing that it has sent need be read. server is the value of Server; empty: it has none.
func PlainRequest(server string) string {
	if server != "" {
		server = "Server: " + server + "\r\n"
	}
	return fmt.Sprintf("HTTP/1.1 400 Bad Request\r\n%sContent-Type: text/html\r\nContent-Length: %d\r\nConnection: close\r\n\r\n%s", server, len(plainPage), plainPage)
}
