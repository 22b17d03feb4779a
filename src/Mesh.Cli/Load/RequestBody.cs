using System.Buffers;
using System.Buffers.Text;
using System.Globalization;
using System.Text;
using System.Text.Json;

namespace Mesh.Cli.Load;

/// <summary>Bodies of requests: a fixed head, the prompt, the number of tokens, a fixed tail.</summary>
internal sealed class RequestBody
{
    private readonly byte[] _head;
    private readonly byte[] _middle;
    private readonly byte[] _tail;
    private readonly ulong _seed;

    public RequestBody(LoadOptions options)
    {
        var isChat = options.Api == LoadApi.Chat;
        var model = JsonEncodedText.Encode(options.Model);
        _head = Encoding.UTF8.GetBytes($"{{\"model\":\"{model}\",{(isChat ? "\"messages\":[{\"role\":\"user\",\"content\":\"" : "\"prompt\":\"")}");
        _middle = Encoding.UTF8.GetBytes($"\"{(isChat ? "}]" : "")},\"max_tokens\":");
        var stream = options.Stream ? ",\"stream\":true,\"stream_options\":{\"include_usage\":true}" : "";
        var ignoreEos = options.IgnoreEos ? ",\"ignore_eos\":true" : "";
        var priority = options.Priority is { } p ? string.Create(CultureInfo.InvariantCulture, $",\"priority\":{p}") : "";
        _tail = Encoding.UTF8.GetBytes($"{stream}{ignoreEos}{priority},\"temperature\":0}}");
        _seed = options.Seed;
    }

    /// <summary>Writes the body of a request into a buffer from the shared pool, which the caller gives back.</summary>
    public (byte[] Buffer, int Length) Write(in PlannedRequest request)
    {
        var buffer = ArrayPool<byte>.Shared.Rent(_head.Length + PromptText.MaxBytes(request.PromptTokens) + _middle.Length + 11 + _tail.Length);
        _head.CopyTo(buffer, 0);
        var at = _head.Length;
        at += PromptText.Write(request, _seed, buffer.AsSpan(at));
        _middle.CopyTo(buffer, at);
        at += _middle.Length;
        Utf8Formatter.TryFormat(request.OutputTokens, buffer.AsSpan(at), out var digits);
        at += digits;
        _tail.CopyTo(buffer, at);
        return (buffer, at + _tail.Length);
    }
}
