using Mesh.Gateway.Inference.ModelRewriting;
using Mesh.Gateway.Upstream;

namespace Mesh.Gateway.Inference.Usage;

/// <summary>What is changed in an answer on its way to the client: a usage that it did not ask for goes, its own name of the model comes back.</summary>
internal sealed class AnswerEdits : IDisposable
{
    private readonly UsageWithholder? _usage;
    private readonly ModelNameRestorer? _names;

    private AnswerEdits(UsageWithholder? usage, ModelNameRestorer? names)
    {
        _usage = usage;
        _names = names;
    }

    /// <summary>The edits of an answer; null when it passes as it is.</summary>
    public static AnswerEdits? For(InferenceExchange exchange, IUpstreamResponse upstream, bool isStream)
    {
        var restoresName = exchange.IsModelRewritten;
        // A server that was asked for a stream may still answer with a plain error, which has no usage to hide.
        var hidesUsage = exchange.HidesUsage && isStream;
        if (!restoresName && !hidesUsage) return null;
        // Nothing can be changed in bytes that are compressed.
        if (exchange.Context.Response.Headers.ContentEncoding.Count > 0) return null;
        var isJson = upstream.ContentType?.StartsWith("application/json", StringComparison.OrdinalIgnoreCase) == true;
        var names = restoresName && (isStream || isJson) ? new ModelNameRestorer(isStream, ModelChoice.Json(exchange.Facts.Model!)) : null;
        return names is null && !hidesUsage ? null : new AnswerEdits(hidesUsage ? new UsageWithholder() : null, names);
    }

    /// <summary>The bytes as the client gets them, perhaps none; valid until the next call.</summary>
    public ReadOnlyMemory<byte> Pass(ReadOnlyMemory<byte> bytes)
    {
        if (_usage is not null) bytes = _usage.Filter(bytes);
        return _names is null || bytes.IsEmpty ? bytes : _names.Restore(bytes.Span);
    }

    /// <summary>What was held back when the answer ended; valid until the next call.</summary>
    public ReadOnlyMemory<byte> End()
    {
        if (_usage is null) return default;
        var rest = _usage.End();
        return _names is null || rest.IsEmpty ? rest : _names.Restore(rest.Span);
    }

    public void Dispose()
    {
        _usage?.Dispose();
        _names?.Dispose();
    }
}
