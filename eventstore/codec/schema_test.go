package codec_test

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protodesc"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/types/descriptorpb"
	"google.golang.org/protobuf/types/dynamicpb"

	"rollcall/domain"
)

//go:generate protoc --descriptor_set_out=testdata/events.binpb events.proto

const compiledSchema = "testdata/events.binpb"

// schema gives events.proto as protoc compiled it.
func schema(t *testing.T) protoreflect.FileDescriptor {
	t.Helper()
	b, err := os.ReadFile(compiledSchema)
	if err != nil {
		t.Fatal(err)
	}
	var set descriptorpb.FileDescriptorSet
	if err := proto.Unmarshal(b, &set); err != nil {
		t.Fatal(err)
	}
	files, err := protodesc.NewFiles(&set)
	if err != nil {
		t.Fatal(err)
	}
	file, err := files.FindFileByPath("events.proto")
	if err != nil {
		t.Fatal(err)
	}
	return file
}

// Whoever has the schema reads every event: a general decoder finds the event in
// its field, knows every field in it, and writes the very same bytes.
func TestSchemaReadsEveryEvent(t *testing.T) {
	record := schema(t).Messages().ByName("Record")
	for name, event := range goldens {
		t.Run(name, func(t *testing.T) {
			raw := encodeOne(t, goldenRecord(event))
			m := dynamicpb.NewMessage(record)
			if err := proto.Unmarshal(raw, m); err != nil {
				t.Fatal(err)
			}
			checkKnown(t, m)
			if got, want := m.WhichOneof(record.Oneofs().ByName("event")), fieldName(event.Type()); got == nil || got.Name() != want {
				t.Errorf("the schema reads the field %v, want %s", got, want)
			}
			again, err := proto.MarshalOptions{Deterministic: true}.Marshal(m)
			if err != nil {
				t.Fatal(err)
			}
			if !bytes.Equal(raw, again) {
				t.Errorf("written with the schema: %x, want %x", again, raw)
			}
		})
	}
}

// fieldName gives the field in the message Record: the printed name with
// underscores.
func fieldName(t domain.EventType) protoreflect.Name {
	return protoreflect.Name(bytes.ReplaceAll([]byte(t.String()), []byte("-"), []byte("_")))
}

// checkKnown fails where a message holds fields that the schema lacks.
func checkKnown(t *testing.T, m protoreflect.Message) {
	t.Helper()
	if len(m.GetUnknown()) > 0 {
		t.Errorf("%s holds fields that the schema lacks: %x", m.Descriptor().Name(), m.GetUnknown())
	}
	m.Range(func(f protoreflect.FieldDescriptor, v protoreflect.Value) bool {
		if f.Message() != nil && !f.IsMap() && !f.IsList() {
			checkKnown(t, v.Message())
		}
		return true
	})
}

// The names that tools print for the enums are those that Rollcall prints.
func TestSchemaNamesNumbers(t *testing.T) {
	file := schema(t)
	numbers := map[protoreflect.Name]func(protoreflect.EnumNumber) string{
		"RejectCode": func(n protoreflect.EnumNumber) string { return "reject-" + domain.RejectCode(n).String() },
		"EndCause":   func(n protoreflect.EnumNumber) string { return "end-" + domain.EndCause(n).String() },
		"Evict":      func(n protoreflect.EnumNumber) string { return "evict-" + domain.Evict(n).String() },
	}
	renamed := map[string]string{"end-ended-by-operator": "end-by-operator", "reject-reject-code-0": "reject-none", "end-end-cause-0": "end-none"}
	for enum, name := range numbers {
		values := file.Enums().ByName(enum).Values()
		for i := range values.Len() {
			value := values.Get(i)
			want := name(value.Number())
			if other, ok := renamed[want]; ok {
				want = other
			}
			got := bytes.ReplaceAll(bytes.ToLower([]byte(value.Name())), []byte("_"), []byte("-"))
			if string(got) != want {
				t.Errorf("%s %d is %s in the schema, want %s", enum, value.Number(), got, want)
			}
		}
	}
}

// What is in testdata is what events.proto says.
func TestCompiledSchemaIsCurrent(t *testing.T) {
	protoc, err := exec.LookPath("protoc")
	if err != nil {
		if os.Getenv("ROLLCALL_REQUIRE_PEERS") == "1" {
			t.Fatal("protoc is missing; install protobuf-compiler")
		}
		t.Skip("protoc is missing")
	}
	out := filepath.Join(t.TempDir(), "events.binpb")
	if msg, err := exec.Command(protoc, "--descriptor_set_out="+out, "events.proto").CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, msg)
	}
	var want, got descriptorpb.FileDescriptorSet
	for file, m := range map[string]proto.Message{out: &want, compiledSchema: &got} {
		b, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if err := proto.Unmarshal(b, m); err != nil {
			t.Fatal(err)
		}
	}
	if !proto.Equal(&want, &got) {
		t.Errorf("%s is stale; run go generate ./eventstore/codec", compiledSchema)
	}
}
