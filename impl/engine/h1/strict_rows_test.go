package h1

import "strings"

// strictRows are what a strict parser must refuse in requests: a row for each phrase of
// the list at TestEveryRowOfTheStrictParser.
var strictRows = []strictRow{
	{"bare LF", ReasonBareLF, 3, []string{head("X: y\nZ: 1\r\n"), "GET / HTTP/1.1\r\nHost: a\r\n\n"}},
	{"bare LF in the request line", ReasonBareLF, 1, []string{"GET / HTTP/1.1\nHost: a\r\n\r\n", "GET /\n"}},
	{"bare CR", ReasonBareCR, 3, []string{head("X: y\rZ: 1\r\n"), head("X: y\r\r\n"), head("\rX: 1\r\n"), head("X\r: 1\r\n")}},
	{"bare CR in the request line", ReasonBareCR, 1, []string{line("GET /\r HTTP/1.1"), line("GET / HTTP/1.1\r"), line("G\rET / HTTP/1.1")}},
	{"NUL in a value", ReasonControl, 3, []string{head("X: a\x00b\r\n"), head("X: \x00\r\n"), head("X: abcdefghijklmnopq\x00\r\n")}},
	{"control bytes in a value", ReasonControl, 3, []string{head("X: a\x01b\r\n"), head("X: \x0b\r\n"), head("X: a\x1f\r\n"), head("X: \x08aaaaaaaaaaaaaaaaa\r\n")}},
	{"DEL in a value", ReasonControl, 3, []string{head("X: a\x7fb\r\n"), head("X: aaaaaaaaaaaa\x7f\r\n")}},
	{"white space before the colon", ReasonSpaceColon, 3, []string{head("X : 1\r\n"), head("X\t: 1\r\n"), head("Content-Length \t: 1\r\n")}},
	{"an empty name", ReasonName, 3, []string{head(": 1\r\n"), head(":X: 1\r\n")}},
	{"a name that is no token", ReasonName, 3, []string{head("X(: 1\r\n"), head("X Y: 1\r\n"), head("X\xff: 1\r\n"), head("X\x00: 1\r\n"), head("\"X\": 1\r\n"), head("X/Y: 1\r\n")}},
	{"no colon", ReasonNoColon, 3, []string{head("X\r\n")}},
	{"obs-fold", ReasonFold, 4, []string{head("X: y\r\n z\r\n"), head("X: y\r\n\tz\r\n"), head("X: y\r\n Z: 1\r\n"), head("X: y\r\n \r\n")}},
	{"a blank before the first field", ReasonFold, 2, []string{host(" Host: a\r\n"), host("\tHost: a\r\n")}},
	{"more than one space in the request line", ReasonRequestLine, 1, []string{line("GET  / HTTP/1.1"), line("GET /  HTTP/1.1"), line("GET / HTTP/1.1 "), line(" GET / HTTP/1.1"), line("GET / x HTTP/1.1"), line("GET  HTTP/1.1")}},
	{"no version", ReasonRequestLine, 1, []string{line("GET /"), line("GET"), line("GET ")}},
	{"a version that is none", ReasonRequestLine, 1, []string{line("GET / HTTP/1.10"), line("GET / http/1.1"), line("GET / HTTP/1.1x"), line("GET / RTSP/1.0"), line("GET / HTTP/1"), line("GET / HTTP/1,1")}},
	{"another version", ReasonVersion, 1, []string{line("GET / HTTP/1.2"), line("GET / HTTP/2.0"), line("GET / HTTP/0.9"), line("PRI * HTTP/2.0")}},
	{"a method that is no token", ReasonMethod, 1, []string{line("GE(T / HTTP/1.1"), line("GE\x00T / HTTP/1.1"), line("\"GET\" / HTTP/1.1"), line(strings.Repeat("G", MaxMethod+1) + " / HTTP/1.1")}},
	{"bytes of another protocol", ReasonNotHTTP, 1, []string{"\x16\x03\x01", "\x80\x2e\x01", "\x00\x00\x00\x85\xffSMB"}},
	{"missing Host", ReasonHostMissing, 0, []string{host(""), "GET http://a/ HTTP/1.1\r\n\r\n"}},
	{"repeated Host", ReasonHostRepeated, 3, []string{host("Host: a\r\nHost: a\r\n"), host("Host: a\r\nhOsT: b\r\n")}},
	{"malformed Host", ReasonHost, 2, []string{host("Host: a b\r\n"), host("Host: a/b\r\n"), host("Host: u@a\r\n"), host("Host: a:b\r\n"), host("Host: a:99999\r\n"), host("Host: [::1\r\n"), host("Host: \r\n"), host("Host: a%2fb\r\n")}},
	{"a second Content-Length", ReasonLengthRepeated, 4, []string{head("Content-Length: 1\r\nContent-Length: 1\r\n"), head("Content-Length: 1\r\ncontent-length: 2\r\n")}},
	{"signs in Content-Length", ReasonLength, 3, []string{head("Content-Length: +1\r\n"), head("Content-Length: -1\r\n"), head("Content-Length: -0\r\n")}},
	{"blanks in Content-Length", ReasonLength, 3, []string{head("Content-Length: 1 1\r\n"), head("Content-Length: \r\n"), head("Content-Length:\t\r\n")}},
	{"lists in Content-Length", ReasonLength, 3, []string{head("Content-Length: 1, 1\r\n"), head("Content-Length: 1,2\r\n"), head("Content-Length: ,\r\n")}},
	{"overflow of Content-Length", ReasonLength, 3, []string{head("Content-Length: 18446744073709551617\r\n"), head("Content-Length: 9223372036854775808\r\n"), head("Content-Length: 1000000000000000000\r\n")}},
	{"other digits in Content-Length", ReasonLength, 3, []string{head("Content-Length: 0x1\r\n"), head("Content-Length: 1e1\r\n"), head("Content-Length: 1_0\r\n"), head("Content-Length: a\r\n")}},
	{"Content-Length with Transfer-Encoding", ReasonLengthAndCoding, 4, []string{head("Content-Length: 1\r\nTransfer-Encoding: chunked\r\n"), head("Transfer-Encoding: chunked\r\nContent-Length: 1\r\n")}},
	{"Transfer-Encoding other than chunked", ReasonCoding, 3, []string{head("Transfer-Encoding: gzip, chunked\r\n"), head("Transfer-Encoding: xchunked\r\n"), head("Transfer-Encoding: \r\n"), head("Transfer-Encoding: identity\r\n"), head("Transfer-Encoding: chunked, chunked\r\n")}},
	{"Transfer-Encoding twice", ReasonCodingRepeated, 4, []string{head("Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n"), head("Transfer-Encoding: chunked\r\nTransfer-encoding: identity\r\n")}},
	{"Transfer-Encoding in HTTP/1.0", ReasonCodingVersion, 2, []string{"POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n"}},
	{"chunk sizes with a sign", ReasonChunkSize, 0, []string{chunks("+5\r\nhello"), chunks("-5\r\nhello"), chunks("-0\r\n\r\n")}},
	{"chunk sizes with a prefix", ReasonChunkSize, 0, []string{chunks("0x5\r\nhello"), chunks("0X5\r\nhello"), chunks("h5\r\nhello"), chunks(" 5\r\nhello")}},
	{"chunk sizes of more than 15 digits", ReasonChunkSize, 0, []string{chunks("0000000000000005\r\nhello"), chunks("10000000000000005\r\nhello")}},
	{"no chunk size", ReasonChunkSize, 0, []string{chunks("\r\n"), chunks(";a\r\n"), chunks("\n")}},
	{"chunk lines not ended by CRLF", ReasonChunkLine, 0, []string{chunks("5\nhello"), chunks("5\rhello"), chunks("5;a\nhello"), chunks("5 \r\nhello"), chunks("5 ;a\r\nhello"), chunks("5\t;a\r\nhello")}},
	{"chunk data not ended by CRLF", ReasonChunkEnd, 0, []string{chunks("5\r\nhello\n0\r\n\r\n"), chunks("5\r\nhelloX"), chunks("5\r\nhello\rX"), chunks("5\r\nhello0\r\n\r\n")}},
	{"malformed chunk extensions", ReasonChunkLine, 0, []string{chunks("5;\r\n"), chunks("5;a=\r\n"), chunks("5;=b\r\n"), chunks("5;a=\"\r\n"), chunks("5;a b\r\n"), chunks("5;a\x00\r\n"), chunks("5;a=\"b\"c\r\n"), chunks("5;a \r\n")}},
	{"chunk extensions without end", ReasonChunkOverhead, 0, []string{chunks("5;" + strings.Repeat("x", MaxChunkLine)), chunks(strings.Repeat("1;"+strings.Repeat("x", MaxChunkLine/2)+"\r\na\r\n", 9))}},
	{"# in the target", ReasonTarget, 1, []string{line("GET /a#b HTTP/1.1"), line("GET /# HTTP/1.1")}},
	{"control bytes in the target", ReasonTarget, 1, []string{line("GET /\x00 HTTP/1.1"), line("GET /\x7f HTTP/1.1"), line("GET /\t HTTP/1.1")}},
	{"a target of no form", ReasonTarget, 1, []string{line("GET * HTTP/1.1"), line("OPTIONS * HTTP/1.1"), line("GET a HTTP/1.1"), line("GET a:80 HTTP/1.1"), line("GET ftp://a/ HTTP/1.1"), line("CONNECT /a HTTP/1.1"), line("CONNECT a HTTP/1.1"), line("CONNECT a: HTTP/1.1")}},
	{"a malformed path", ReasonPath, 1, []string{line("GET /% HTTP/1.1"), line("GET /%00 HTTP/1.1"), line("GET /.. HTTP/1.1"), line("GET http://a/../ HTTP/1.1")}},
	{"absolute-form with a malformed host", ReasonHost, 1, []string{line("GET http:/// HTTP/1.1"), line("GET http://u:p@a/ HTTP/1.1"), line("GET http://a:b/ HTTP/1.1")}},
	{"Connection naming Host, Content-Length or similar", ReasonConnection, 3, []string{head("Connection: Host\r\n"), head("Connection: close, hOST\r\n"), head("Connection: Content-Length\r\n"), head("Connection: keep-alive,transfer-encoding ,x\r\n")}},
	{"trailer fields that frame, route or authorise, announced", ReasonTrailer, 3, []string{head("Trailer: Content-Length\r\n"), head("Trailer: a, transfer-encoding\r\n"), head("Trailer: trailer\r\n"), head("Trailer: x,host\r\n"), head("Trailer: Authorization\r\n"), head("Trailer: proxy-authorization, a\r\n")}},
	{"more than 96 fields", ReasonTooManyFields, 98, []string{host("Host: a\r\n" + strings.Repeat("X: y\r\n", MaxFields))}},
	{"more than 64 KiB of head", ReasonHeadTooLong, 3, []string{head("X: " + strings.Repeat("y", MaxHead) + "\r\n")}},
	{"more than 64 KiB of target", ReasonTargetTooLong, 1, []string{line("GET /" + strings.Repeat("y", MaxHead) + " HTTP/1.1")}},
	{"two empty lines before", ReasonRequestLine, 1, []string{"\r\n\r\n" + small}},
}

// strictAnswerRows are those of answers.
var strictAnswerRows = []strictRow{
	{"another protocol", ReasonNotHTTP, 1, []string{"220 mail ESMTP\r\n", "\r\n" + answerHead(""), "HTTP 200", "ICY 200 OK\r\n"}},
	{"another version", ReasonVersion, 1, []string{answerLine("HTTP/2.0 200 OK"), answerLine("HTTP/1.2 200 OK"), answerLine("HTTP/1.11 200 OK")}},
	{"a status that is none", ReasonStatusLine, 1, []string{answerLine("HTTP/1.1 20 OK"), answerLine("HTTP/1.1 abc"), answerLine("HTTP/1.1 2000"), answerLine("HTTP/1.1 099"), answerLine("HTTP/1.1  200"), answerLine("HTTP/1.1"), answerLine("HTTP/1.1 200\tOK")}},
	{"control bytes in the phrase", ReasonStatusLine, 1, []string{answerLine("HTTP/1.1 200 O\x00K"), answerLine("HTTP/1.1 200 O\x7fK")}},
	{"bare LF", ReasonBareLF, 1, []string{"HTTP/1.1 200 OK\n"}},
	{"bare CR", ReasonBareCR, 2, []string{answerHead("X: y\rZ: 1\r\n")}},
	{"NUL", ReasonControl, 2, []string{answerHead("X: \x00\r\n")}},
	{"obs-fold", ReasonFold, 3, []string{answerHead("X: y\r\n z\r\n")}},
	{"white space before the colon", ReasonSpaceColon, 2, []string{answerHead("X : y\r\n")}},
	{"both framings", ReasonLengthAndCoding, 3, []string{answerHead("Content-Length: 5\r\nTransfer-Encoding: chunked\r\n"), answerHead("Transfer-Encoding: chunked\r\nContent-Length: 5\r\n")}},
	{"a coding in HTTP/1.0", ReasonCodingVersion, 2, []string{"HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"}},
	{"a coding that is not chunked", ReasonCoding, 2, []string{answerHead("Transfer-Encoding: gzip\r\n"), answerHead("Transfer-Encoding: gzip, chunked\r\n")}},
	{"two lengths", ReasonLengthRepeated, 3, []string{answerHead("Content-Length: 5\r\nContent-Length: 5\r\n")}},
	{"a length that is none", ReasonLength, 2, []string{answerHead("Content-Length: 5x\r\n"), answerHead("Content-Length: 5, 5\r\n")}},
	{"malformed chunks", ReasonChunkSize, 0, []string{answerHead("Transfer-Encoding: chunked\r\n") + "5\r\nhello\r\nzz\r\n"}},
	{"more than 96 fields", ReasonTooManyFields, 98, []string{answerHead(strings.Repeat("X: y\r\n", MaxFields+1))}},
	{"more than 64 KiB of head", ReasonHeadTooLong, 2, []string{answerHead("X: " + strings.Repeat("y", MaxHead) + "\r\n")}},
	{"a first line of 64 KiB as well", ReasonHeadTooLong, 1, []string{answerLine("HTTP/1.1 200 " + strings.Repeat("y", MaxHead))}},
}

type strictRow struct {
	name string
	want Reason
	line int
	text []string
}

// Requests with these further lines, with another first line, with these lines and no
// Host, and with these chunks for a body.
func head(lines string) string { return "GET / HTTP/1.1\r\nHost: a\r\n" + lines + "\r\n" }
func line(l string) string     { return l + "\r\nHost: a\r\n\r\n" }
func host(lines string) string { return "GET / HTTP/1.1\r\n" + lines + "\r\n" }
func chunks(s string) string   { return head("Transfer-Encoding: chunked\r\n") + s }

// Answers with these further lines, and with another first line.
func answerHead(lines string) string { return "HTTP/1.1 200 OK\r\n" + lines + "\r\n" }
func answerLine(l string) string     { return l + "\r\n\r\n" }
