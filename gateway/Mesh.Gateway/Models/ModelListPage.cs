using System.Buffers;
using System.Collections.Immutable;
using System.Text.Json;
using Mesh.Core.Snapshots;
using Mesh.Engine;
using Mesh.Gateway.Hosting;
using Mesh.Gateway.Keys;

namespace Mesh.Gateway.Models;

/// <summary><c>GET /v1/models</c>: the models of every pool that the listener reaches, each name once, ordered by name.</summary>
internal sealed class ModelListPage(IMeshEngine engine, ActiveConfiguration configuration, TimeProvider time)
{
    private readonly long _createdSeconds = time.GetUtcNow().ToUnixTimeSeconds();

    /// <summary>Answers with the models that the caller may use.</summary>
    public async Task HandleAsync(HttpContext context, Caller? caller)
    {
        var models = new SortedSet<string>(StringComparer.Ordinal);
        if (configuration.Current.TableFor(context.Connection.LocalPort) is { } table)
        {
            foreach (var pool in engine.Snapshot())
            {
                if (table.Pools.Contains(pool.Id)) Collect(pool.Backends, models);
            }
        }

        if (caller is { Models.IsAny: false }) models.RemoveWhere(m => !caller.Models.Matches(m));
        var json = Json(models);
        context.Response.ContentType = "application/json";
        context.Response.ContentLength = json.WrittenCount;
        if (!HttpMethods.IsHead(context.Request.Method)) await context.Response.Body.WriteAsync(json.WrittenMemory);
    }

    private static void Collect(ImmutableArray<BackendSnapshot> backends, SortedSet<string> models)
    {
        foreach (var backend in backends)
        {
            foreach (var endpoint in backend.Endpoints)
            {
                // Default means that the endpoint has not told its models yet.
                if (!endpoint.Models.IsDefault) models.UnionWith(endpoint.Models);
            }
        }
    }

    private ArrayBufferWriter<byte> Json(SortedSet<string> models)
    {
        var buffer = new ArrayBufferWriter<byte>();
        using var json = new Utf8JsonWriter(buffer);
        json.WriteStartObject();
        json.WriteString("object"u8, "list"u8);
        json.WriteStartArray("data"u8);
        foreach (var model in models)
        {
            json.WriteStartObject();
            json.WriteString("id"u8, model);
            json.WriteString("object"u8, "model"u8);
            json.WriteNumber("created"u8, _createdSeconds);
            json.WriteString("owned_by"u8, "mesh"u8);
            json.WriteEndObject();
        }

        json.WriteEndArray();
        json.WriteEndObject();
        json.Flush();
        return buffer;
    }
}
