using System.Buffers;
using System.Collections.Immutable;
using System.Text.Json;
using Mesh.Core.Snapshots;
using Mesh.Engine;
using Mesh.Gateway.Errors;
using Mesh.Gateway.Hosting;
using Mesh.Gateway.Inference;
using Mesh.Gateway.Keys;

namespace Mesh.Gateway.Models;

/// <summary><c>GET /v1/models</c> and <c>/v1/models/{id}</c>: the models of every pool that the listener reaches, each name once, ordered by name.</summary>
internal sealed class ModelListPage(IMeshEngine engine, ActiveConfiguration configuration, TimeProvider time)
{
    private readonly long _createdSeconds = time.GetUtcNow().ToUnixTimeSeconds();

    /// <summary>The list of those that the caller may use.</summary>
    public Task HandleAsync(HttpContext context, Caller? caller) => SendAsync(context, Json(ModelsFor(context, caller), null));

    /// <summary>One model, by the rest of the path; its name may hold slashes, encoded or not.</summary>
    public Task HandleOneAsync(HttpContext context, Caller? caller, ErrorReporter errors)
    {
        // The server decodes everything in a path but the slash.
        var name = context.Request.Path.Value![ApiPaths.ModelPrefix.Length..].Replace("%2F", "/", StringComparison.OrdinalIgnoreCase);
        return ModelsFor(context, caller).Contains(name)
            ? SendAsync(context, Json(null, name))
            : errors.RefuseAsync(context, GatewayErrors.ModelNotFound, $"The model `{name}` does not exist.");
    }

    private static async Task SendAsync(HttpContext context, ArrayBufferWriter<byte> json)
    {
        context.Response.ContentType = "application/json";
        context.Response.ContentLength = json.WrittenCount;
        if (!HttpMethods.IsHead(context.Request.Method)) await context.Response.Body.WriteAsync(json.WrittenMemory);
    }

    private SortedSet<string> ModelsFor(HttpContext context, Caller? caller)
    {
        var models = new SortedSet<string>(StringComparer.Ordinal);
        if (configuration.Current.TableFor(context.Connection.LocalPort) is not { } table) return models;
        foreach (var pool in engine.Snapshot())
        {
            if (table.Pools.Contains(pool.Id)) Collect(pool.Backends, models);
        }

        if (caller is { Models.IsAny: false }) models.RemoveWhere(m => !caller.Models.Matches(m));
        return models;
    }

    private static void Collect(ImmutableArray<BackendSnapshot> backends, SortedSet<string> models)
    {
        foreach (var backend in backends)
        {
            foreach (var endpoint in backend.Endpoints)
            {
                // Default means that the endpoint has not told its models yet. Nobody can ask a drained one.
                if (!endpoint.Models.IsDefault && !endpoint.Drained) models.UnionWith(endpoint.Models);
            }
        }
    }

    private ArrayBufferWriter<byte> Json(SortedSet<string>? list, string? one)
    {
        var buffer = new ArrayBufferWriter<byte>();
        using var json = new Utf8JsonWriter(buffer);
        if (one is not null)
        {
            WriteModel(json, one);
        }
        else
        {
            json.WriteStartObject();
            json.WriteString("object"u8, "list"u8);
            json.WriteStartArray("data"u8);
            foreach (var model in list!) WriteModel(json, model);
            json.WriteEndArray();
            json.WriteEndObject();
        }

        json.Flush();
        return buffer;
    }

    private void WriteModel(Utf8JsonWriter json, string model)
    {
        json.WriteStartObject();
        json.WriteString("id"u8, model);
        json.WriteString("object"u8, "model"u8);
        json.WriteNumber("created"u8, _createdSeconds);
        json.WriteString("owned_by"u8, "mesh"u8);
        json.WriteEndObject();
    }
}
