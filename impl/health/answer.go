package health

import (
	"bufio"
	"io"
	"net/http"
)

// readStatus reads the head of an answer and returns its status; interim
// answers (1xx) are passed over.
func readStatus(r io.Reader) (int, error) {
	br := bufio.NewReaderSize(r, 1024)
	for {
		resp, err := http.ReadResponse(br, nil)
		if err != nil {
			return 0, err
		}
		_ = resp.Body.Close() // the connection goes with it
		if resp.StatusCode >= 200 {
			return resp.StatusCode, nil
		}
	}
}
