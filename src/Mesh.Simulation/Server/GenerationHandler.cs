using System.Buffers;
using System.Text;
using Mesh.Simulation.Model;
using Microsoft.AspNetCore.Http;

namespace Mesh.Simulation.Server;

/// <summary>
/// Serves completions and chat completions through the engine: 1 read and check the body, 2 queue its sequences, 3 relay what the engine
/// brings forth. A client that goes away takes its sequences out of the engine at once.
/// </summary>
internal sealed class GenerationHandler(SimulatedVllmOptions options, ModelCatalog models, EngineHost host, AnswerPlanner planner, RequestIds ids, RequestCounts counts)
{
    private const string EventStream = "text/event-stream; charset=utf-8";

    public async Task HandleAsync(HttpContext context, bool isChat)
    {
        // :: Step 1
        var (document, error) = await HttpAnswers.ReadJsonAsync(context, options.MaxRequestBodyBytes);
        GenerationCall? call = null;
        using (document)
        {
            if (document is not null) (call, error) = GenerationCallReader.Read(document.RootElement, isChat, models, options.MaxModelLen);
        }

        if (call is null)
        {
            await HttpAnswers.SendErrorAsync(context, error!);
            return;
        }

        // :: Step 2
        var (generation, requests) = planner.Plan(call);
        if (!host.TrySubmit(generation, requests))
        {
            await HttpAnswers.SendErrorAsync(context, ApiError.QueueFull(options.MaxNumQueuedRequests));
            return;
        }

        // :: Step 3
        string? clientId = context.Request.Headers[RequestIds.Header];
        var id = ids.Next(isChat ? "chatcmpl-" : "cmpl-", clientId);
        if (options.EnableRequestIdHeaders) context.Response.Headers[RequestIds.Header] = clientId ?? id;
        var created = options.TimeProvider.GetUtcNow().ToUnixTimeSeconds();
        var writer = new ResponseWriter(call, id, created);
        try
        {
            // The client's going is heard while we wait for the engine: its sequences must not run on for nobody.
            await using (context.RequestAborted.Register(() => host.Abort(generation)))
            {
                if (call.Stream) await StreamAsync(context, call, generation, writer);
                else await AnswerAsync(context, generation, writer);
            }

            counts.Completed();
        }
        catch (OperationCanceledException) when (context.RequestAborted.IsCancellationRequested)
        {
            counts.Aborted();
        }
        finally
        {
            // Whatever went wrong, nothing of this request stays in the engine.
            if (!generation.Finished) host.Abort(generation);
        }
    }

    private async Task AnswerAsync(HttpContext context, Generation generation, ResponseWriter writer)
    {
        while (!generation.Finished) await generation.NewsAsync(context.RequestAborted);
        using var buffer = new PooledBuffer();
        writer.WriteWhole(buffer, generation);
        LoadReport.Add(context, host);
        await HttpAnswers.SendAsync(context, StatusCodes.Status200OK, HttpAnswers.JsonType, buffer.WrittenMemory);
        context.RequestAborted.ThrowIfCancellationRequested();
    }

    private static async Task StreamAsync(HttpContext context, GenerationCall call, Generation generation, ResponseWriter writer)
    {
        context.Response.ContentType = EventStream;
        using var buffer = new PooledBuffer();
        var text = new StringBuilder();
        bool finished;
        do
        {
            await generation.NewsAsync(context.RequestAborted);
            // Read before the answers: what is complete now is sent in full below.
            finished = generation.Finished;
            foreach (var answer in generation.Answers)
            {
                while (WriteNextChunk(call, answer, writer, buffer, text)) await FlushAsync(context, buffer);
            }
        }
        while (!finished);

        if (call.IncludeUsage)
        {
            buffer.Write("data: "u8);
            writer.WriteUsageChunk(buffer, generation);
            buffer.Write("\n\n"u8);
        }

        buffer.Write("data: [DONE]\n\n"u8);
        await FlushAsync(context, buffer);
    }

    /// <summary>Writes the chunk of the answer's next token, if that token exists.</summary>
    private static bool WriteNextChunk(GenerationCall call, Answer answer, ResponseWriter writer, PooledBuffer buffer, StringBuilder text)
    {
        if (answer.Sent >= answer.Ready) return false;
        if (answer.Sent == 0 && call.IsChat)
        {
            buffer.Write("data: "u8);
            writer.WriteChunk(buffer, answer.Index, "", null, isRole: true);
            buffer.Write("\n\n"u8);
        }

        text.Clear();
        answer.AppendText(text, answer.Sent);
        if (answer.Sent == 0) text.Insert(0, answer.Echo);
        answer.Sent++;
        FinishReason? reason = answer.Sent == answer.Tokens.Length ? answer.Ends : null;
        buffer.Write("data: "u8);
        writer.WriteChunk(buffer, answer.Index, text.ToString(), reason);
        buffer.Write("\n\n"u8);
        return true;
    }

    private static async ValueTask FlushAsync(HttpContext context, PooledBuffer buffer)
    {
        await context.Response.BodyWriter.WriteAsync(buffer.WrittenMemory, context.RequestAborted);
        buffer.Clear();
        // A flush to a client that has gone may complete without an exception.
        context.RequestAborted.ThrowIfCancellationRequested();
    }
}
