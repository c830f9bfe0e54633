// Package linkpb is the generated Go code of the device link's messages, see
// ../link.proto.
package linkpb

//go:generate sh -c "protoc -I.. --plugin=protoc-gen-go=$(go tool -n protoc-gen-go) --go_out=. --go_opt=paths=source_relative ../link.proto"
