using System.Buffers;
using System.Text;
using System.Text.Json;

namespace Mesh.Simulation.Server.Apis;

/// <summary>Writes server-sent events that have a name.</summary>
internal static class SseEvents
{
    /// <summary>Writes one event whose data is an object with its name as <c>type</c>.</summary>
    public static void Write(PooledBuffer buffer, string type, Action<Utf8JsonWriter> fields)
    {
        buffer.Write(Encoding.ASCII.GetBytes($"event: {type}\ndata: "));
        using (var json = Json.Writer(buffer))
        {
            json.WriteStartObject();
            json.WriteString("type"u8, type);
            fields(json);
            json.WriteEndObject();
        }

        buffer.Write("\n\n"u8);
    }
}
