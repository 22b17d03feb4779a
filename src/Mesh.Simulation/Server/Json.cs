using System.Buffers;
using System.Text.Encodings.Web;
using System.Text.Json;

namespace Mesh.Simulation.Server;

internal static class Json
{
    // Text goes out as it is, like Python's ensure_ascii=False, not as \u escapes.
    private static readonly JsonWriterOptions Options = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    public static Utf8JsonWriter Writer(IBufferWriter<byte> buffer) => new(buffer, Options);
}
