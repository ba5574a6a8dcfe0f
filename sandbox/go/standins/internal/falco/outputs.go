// Outputs: standard output, a file, HTTP. An alert that HTTP cannot deliver is lost, as with the real Falco.

package falco

import (
	"bytes"
	"fmt"
	"log"
	"net/http"
	"os"
	"sync"
	"time"
)

type outputs struct {
	mutex  sync.Mutex
	http   chan []byte
	client *http.Client
	config *Config
}

func newOutputs(c *Config) *outputs {
	o := &outputs{config: c, http: make(chan []byte, 4096), client: &http.Client{Timeout: 5 * time.Second}}
	go o.deliver()
	return o
}

func (o *outputs) use(c *Config) {
	o.mutex.Lock()
	defer o.mutex.Unlock()
	o.config = c
}

func (o *outputs) send(a alert) {
	o.mutex.Lock()
	defer o.mutex.Unlock()
	line := a.text
	if o.config.JSONOutput {
		line = string(a.json)
	}
	if o.config.StdoutOutput.Enabled {
		fmt.Println(line)
	}
	if o.config.FileOutput.Enabled {
		if f, err := os.OpenFile(o.config.FileOutput.Filename, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600); err == nil {
			fmt.Fprintln(f, line)
			f.Close()
		} else {
			log.Printf("file_output: %v", err)
		}
	}
	if o.config.HTTPOutput.Enabled {
		select {
		case o.http <- []byte(line):
		default:
			log.Print("output queue is full: an alert is dropped")
		}
	}
}

func (o *outputs) deliver() {
	for body := range o.http {
		o.mutex.Lock()
		url, agent := o.config.HTTPOutput.URL, o.config.HTTPOutput.UserAgent
		o.mutex.Unlock()
		request, err := http.NewRequest(http.MethodPost, url, bytes.NewReader(body))
		if err != nil {
			log.Printf("http_output.url: %v", err)
			continue
		}
		request.Header.Set("Content-Type", "application/json")
		request.Header.Set("User-Agent", agent)
		response, err := o.client.Do(request)
		if err != nil {
			log.Printf("libcurl failed to perform call: %v", err)
			continue
		}
		response.Body.Close()
	}
}
