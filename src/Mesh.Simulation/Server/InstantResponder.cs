using System.Buffers;
using System.IO.Pipelines;
using System.Text;
using Microsoft.AspNetCore.Http.Features;

namespace Mesh.Simulation.Server;

/// <summary>
/// Answers inference calls at once with bytes made beforehand, so that a proxy in front is measured and not this. It looks for the model's
/// name and for <c>"stream": true</c> in the raw body and parses nothing else. A plain answer is one write; a stream is 128 chunks, each
/// flushed alone, and [DONE].
/// </summary>
internal sealed class InstantResponder(ModelCatalog models, IReadOnlyList<SimulatedModel> served, RequestCounts counts, long createdSeconds)
{
    private const int Chunks = 128;

    private static readonly byte[] Done = "data: [DONE]\n\n"u8.ToArray();

    private readonly Canned[] _completions = [.. served.Select(m => new Canned(m.Name, isChat: false, createdSeconds))];
    private readonly Canned[] _chats = [.. served.Select(m => new Canned(m.Name, isChat: true, createdSeconds))];

    public async Task HandleAsync(IFeatureCollection features, bool isChat)
    {
        var reader = features.GetRequiredFeature<IRequestBodyPipeFeature>().Reader;
        var read = await reader.ReadAsync();
        while (!read.IsCompleted)
        {
            reader.AdvanceTo(read.Buffer.Start, read.Buffer.End);
            read = await reader.ReadAsync();
        }

        var (canned, streams) = Choose(read.Buffer, isChat);
        reader.AdvanceTo(read.Buffer.End);
        var response = features.GetRequiredFeature<IHttpResponseFeature>();
        var writer = features.GetRequiredFeature<IHttpResponseBodyFeature>().Writer;
        if (canned is null)
        {
            await SendAsync(response, writer, 404, Canned.NoModel);
        }
        else if (!streams)
        {
            await SendAsync(response, writer, 200, canned.Whole);
        }
        else
        {
            response.Headers.ContentType = "text/event-stream; charset=utf-8";
            for (var i = 0; i < Chunks; i++) await writer.WriteAsync(i < Chunks - 1 ? canned.Chunk : canned.LastChunk);
            await writer.WriteAsync(Done);
        }

        if (features.Get<IHttpRequestLifetimeFeature>()?.RequestAborted.IsCancellationRequested == true) counts.Aborted();
        else counts.Completed();
    }

    private static ValueTask<FlushResult> SendAsync(IHttpResponseFeature response, PipeWriter writer, int status, byte[] body)
    {
        response.StatusCode = status;
        response.Headers.ContentType = HttpAnswers.JsonType;
        response.Headers.ContentLength = body.Length;
        return writer.WriteAsync(body);
    }

    private (Canned? Answer, bool Streams) Choose(in ReadOnlySequence<byte> body, bool isChat)
    {
        var canned = isChat ? _chats : _completions;
        if (body.IsSingleSegment) return (Find(canned, body.FirstSpan), Streams(body.FirstSpan));
        var rented = ArrayPool<byte>.Shared.Rent((int)body.Length);
        body.CopyTo(rented);
        var span = rented.AsSpan(0, (int)body.Length);
        var result = (Find(canned, span), Streams(span));
        ArrayPool<byte>.Shared.Return(rented);
        return result;
    }

    private Canned? Find(Canned[] canned, ReadOnlySpan<byte> body)
    {
        var value = After(body, "\"model\""u8);
        if (value.Length == 0 || value[0] != '"') return canned[IndexOfDefault()];
        value = value[1..];
        var end = value.IndexOf((byte)'"');
        if (end < 0) return null;
        foreach (var candidate in canned)
        {
            if (value[..end].SequenceEqual(candidate.Name)) return candidate;
        }

        return null;
    }

    private int IndexOfDefault()
    {
        for (var i = 0; i < served.Count; i++)
        {
            if (served[i].Name == models.Default.Name) return i;
        }

        return 0;
    }

    private static bool Streams(ReadOnlySpan<byte> body) => After(body, "\"stream\""u8).StartsWith("true"u8);

    /// <summary>What follows the colon after a name; empty when the name does not occur.</summary>
    private static ReadOnlySpan<byte> After(ReadOnlySpan<byte> body, ReadOnlySpan<byte> name)
    {
        var at = body.IndexOf(name);
        if (at < 0) return [];
        var rest = body[(at + name.Length)..];
        while (rest.Length > 0 && rest[0] is (byte)' ' or (byte)':' or (byte)'\n' or (byte)'\r' or (byte)'\t') rest = rest[1..];
        return rest;
    }

    /// <summary>Bytes of one model's answers.</summary>
    private sealed class Canned
    {
        public static readonly byte[] NoModel = """{"error":{"message":"The model does not exist.","type":"NotFoundError","param":"model","code":404}}"""u8.ToArray();

        public Canned(string model, bool isChat, long created)
        {
            Name = Encoding.UTF8.GetBytes(model);
            var quoted = $"\"{System.Text.Json.JsonEncodedText.Encode(model)}\"";
            var prefix = isChat ? "chatcmpl" : "cmpl";
            var (whole, part) = isChat ? ("chat.completion", "chat.completion.chunk") : ("text_completion", "text_completion");
            const string Text = "The best pizza in the world is subjective.";
            var wholeChoice = isChat ? $"\"message\":{{\"role\":\"assistant\",\"content\":\"{Text}\"}}" : $"\"text\":\"{Text}\"";
            var partChoice = isChat ? "\"delta\":{\"content\":\" pizza\"}" : "\"text\":\" pizza\"";
            string Head(string kind) => $"{{\"id\":\"{prefix}-00000000000000000000000000000000\",\"object\":\"{kind}\",\"created\":{created},\"model\":{quoted},\"choices\":[{{\"index\":0,";
            Whole = Encoding.UTF8.GetBytes($"{Head(whole)}{wholeChoice},\"logprobs\":null,\"finish_reason\":\"length\"}}],\"usage\":{{\"prompt_tokens\":10,\"total_tokens\":20,\"completion_tokens\":10}}}}");
            Chunk = Encoding.UTF8.GetBytes($"data: {Head(part)}{partChoice},\"logprobs\":null,\"finish_reason\":null}}]}}\n\n");
            LastChunk = Encoding.UTF8.GetBytes($"data: {Head(part)}{partChoice},\"logprobs\":null,\"finish_reason\":\"length\"}}]}}\n\n");
        }

        public byte[] Name { get; }

        public byte[] Whole { get; }

        public byte[] Chunk { get; }

        public byte[] LastChunk { get; }
    }
}
