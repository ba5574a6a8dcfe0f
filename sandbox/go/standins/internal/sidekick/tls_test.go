package sidekick

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"io"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// authority is a CA whose certificates and keys lie in files.
type authority struct {
	t         *testing.T
	directory string
	cert      *x509.Certificate
	key       *ecdsa.PrivateKey
}

func newAuthority(t *testing.T) *authority {
	t.Helper()
	a := &authority{t: t, directory: t.TempDir()}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "test CA"}, NotAfter: time.Now().Add(time.Hour), IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign}
	a.key = newKey(t)
	der, err := x509.CreateCertificate(rand.Reader, template, template, &a.key.PublicKey, a.key)
	must(t, err)
	a.cert, err = x509.ParseCertificate(der)
	must(t, err)
	a.write("ca.crt", "CERTIFICATE", der)
	return a
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func newKey(t *testing.T) *ecdsa.PrivateKey {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	must(t, err)
	return key
}

func (a *authority) write(name, kind string, der []byte) {
	a.t.Helper()
	must(a.t, os.WriteFile(a.path(name), pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}), 0o600))
}

func (a *authority) path(name string) string { return filepath.Join(a.directory, name) }

// issue writes name.crt and name.key, good for 127.0.0.1 as a server and as a client.
func (a *authority) issue(name string) {
	a.t.Helper()
	key := newKey(a.t)
	template := &x509.Certificate{SerialNumber: big.NewInt(2), Subject: pkix.Name{CommonName: name}, NotAfter: time.Now().Add(time.Hour), IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth}}
	der, err := x509.CreateCertificate(rand.Reader, template, a.cert, &key.PublicKey, a.key)
	must(a.t, err)
	a.write(name+".crt", "CERTIFICATE", der)
	der, err = x509.MarshalECPrivateKey(key)
	must(a.t, err)
	a.write(name+".key", "EC PRIVATE KEY", der)
}

// destination is a server with a certificate of the authority, which may ask for one.
func (a *authority) destination(mutual bool) *httptest.Server {
	a.t.Helper()
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(_ http.ResponseWriter, _ *http.Request) {}))
	config, err := serverTLS{mutual: mutual, ca: a.path("ca.crt")}.config()
	must(a.t, err)
	certificate, err := tls.LoadX509KeyPair(a.path("server.crt"), a.path("server.key"))
	must(a.t, err)
	config.Certificates, server.TLS = []tls.Certificate{certificate}, config
	server.Config.ErrorLog = nil
	server.StartTLS()
	a.t.Cleanup(server.Close)
	return server
}

func TestOutputsCheckAndShowCertificates(t *testing.T) {
	a := newAuthority(t)
	a.issue("server")
	a.issue("client")
	plain, mutual := a.destination(false), a.destination(true)
	client := map[string]string{"MUTUALTLSCLIENT_CERTFILE": a.path("client.crt"), "MUTUALTLSCLIENT_KEYFILE": a.path("client.key"), "MUTUALTLSCLIENT_CACERTFILE": a.path("ca.crt")}
	for name, one := range map[string]struct {
		to    *httptest.Server
		env   map[string]string
		error string
	}{
		"an unknown CA is refused":                   {plain, nil, "unknown authority"},
		"unless nothing is checked":                  {plain, map[string]string{"WEBHOOK_CHECKCERT": "false"}, ""},
		"or the CA is trusted":                       {plain, map[string]string{"TLSCLIENT_CACERTFILE": a.path("ca.crt")}, ""},
		"who asks for a certificate gets one":        {mutual, with(client, "WEBHOOK_MUTUALTLS", "true"), ""},
		"and refuses where none is shown":            {mutual, map[string]string{"TLSCLIENT_CACERTFILE": a.path("ca.crt")}, "certificate required"},
		"a file that is not there is no certificate": {mutual, map[string]string{"WEBHOOK_MUTUALTLS": "true", "TLSCLIENT_CACERTFILE": a.path("ca.crt"), "MUTUALTLSFILESPATH": "/nowhere"}, "certificate required"},
	} {
		t.Run(name, func(t *testing.T) {
			s, _ := sidekick(t, with(one.env, "WEBHOOK_ADDRESS", one.to.URL))
			err := s.send(s.settings.outputs[0], &payload{})
			if (err == nil) != (one.error == "") || err != nil && !strings.Contains(err.Error(), one.error) {
				t.Error(err)
			}
		})
	}
}

func with(env map[string]string, name, value string) map[string]string {
	found := map[string]string{name: value}
	for key, v := range env {
		found[key] = v
	}
	return found
}

// served starts what the settings ask for, on free ports, and tells the addresses: the encrypted one first.
func served(t *testing.T, env map[string]string) []string {
	t.Helper()
	s, _ := sidekick(t, env)
	listeners, err := s.listeners()
	must(t, err)
	addresses := []string{}
	for _, one := range listeners {
		socket, err := net.Listen("tcp", "127.0.0.1:0")
		must(t, err)
		t.Cleanup(func() { one.server.Close() })
		if one.tls {
			go one.server.ServeTLS(socket, s.settings.serverTLS.cert, s.settings.serverTLS.key) //nolint:errcheck // ends with the test
		} else {
			go one.server.Serve(socket) //nolint:errcheck // ends with the test
		}
		addresses = append(addresses, socket.Addr().String())
	}
	return addresses
}

func (a *authority) get(url, client string) string {
	a.t.Helper()
	config := &tls.Config{RootCAs: x509.NewCertPool()}
	must(a.t, trust(config.RootCAs, a.path("ca.crt")))
	if client != "" {
		certificate, err := tls.LoadX509KeyPair(a.path(client+".crt"), a.path(client+".key"))
		must(a.t, err)
		config.Certificates = []tls.Certificate{certificate}
	}
	response, err := (&http.Client{Transport: &http.Transport{TLSClientConfig: config}, Timeout: 5 * time.Second}).Get(url)
	if err != nil {
		return err.Error()
	}
	defer response.Body.Close()
	text, _ := io.ReadAll(response.Body)
	return strings.TrimSpace(response.Status + " " + string(text))
}

func TestTheServerIsEncryptedButForThePathsThatTheKubeletAsks(t *testing.T) {
	a := newAuthority(t)
	a.issue("server")
	at := served(t, map[string]string{"TLSSERVER_DEPLOY": "true", "TLSSERVER_CERTFILE": a.path("server.crt"), "TLSSERVER_KEYFILE": a.path("server.key"), "TLSSERVER_NOTLSPATHS": "/ping"})
	for url, words := range map[string]string{
		"https://" + at[0] + "/healthz": `200 OK {"status":"ok"}`,
		"http://" + at[1] + "/ping":     "200 OK pong",
		"http://" + at[1] + "/healthz":  "404 Not Found 404 page not found",
		"http://" + at[0] + "/healthz":  "400 Bad Request Client sent an HTTP request to an HTTPS server.",
	} {
		if told := a.get(url, ""); told != words {
			t.Errorf("%s: %s", url, told)
		}
	}
}

func TestWithMutualTLSWhoShowsNoCertificateIsRefused(t *testing.T) {
	a := newAuthority(t)
	a.issue("server")
	a.issue("client")
	at := served(t, map[string]string{"TLSSERVER_DEPLOY": "true", "TLSSERVER_MUTUALTLS": "true", "TLSSERVER_CERTFILE": a.path("server.crt"), "TLSSERVER_KEYFILE": a.path("server.key"), "TLSSERVER_CACERTFILE": a.path("ca.crt"), "TLSSERVER_NOTLSPATHS": "/ping"})
	if told := a.get("https://"+at[0]+"/healthz", ""); !strings.Contains(told, "certificate required") {
		t.Error(told)
	}
	if told := a.get("https://"+at[0]+"/healthz", "client"); !strings.HasPrefix(told, "200 OK") {
		t.Error(told)
	}
	s, _ := sidekick(t, map[string]string{"TLSSERVER_DEPLOY": "true", "TLSSERVER_MUTUALTLS": "true", "TLSSERVER_CACERTFILE": "/nowhere"})
	if _, err := s.listeners(); err == nil {
		t.Error("without a CA nobody could be trusted")
	}
}
