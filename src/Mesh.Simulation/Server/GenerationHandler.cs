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

        string? clientId = context.Request.Headers[RequestIds.Header];
        var id = ids.Next(isChat ? "chatcmpl-" : "cmpl-", clientId);
        if (options.EnableRequestIdHeaders) context.Response.Headers[RequestIds.Header] = clientId ?? id;
        await RunAsync(context, call, new ResponseWriter(call, id, options.TimeProvider.GetUtcNow().ToUnixTimeSeconds()));
    }

    /// <summary>Steps 2 and 3 for a call of any API.</summary>
    /// <param name="context">The request.</param>
    /// <param name="call">What it asks for.</param>
    /// <param name="writer">How it is answered.</param>
    /// <param name="onStart">Told as soon as the engine has taken the call.</param>
    public async Task RunAsync(HttpContext context, GenerationCall call, IAnswerWriter writer, Action<Generation>? onStart = null)
    {
        // :: Step 2
        if (Submit(call) is not { } generation)
        {
            await HttpAnswers.SendErrorAsync(context, ApiError.QueueFull(options.MaxNumQueuedRequests));
            return;
        }

        // :: Step 3
        onStart?.Invoke(generation);
        try
        {
            // The client's going is heard while we wait for the engine: its sequences must not run on for nobody.
            await using (context.RequestAborted.Register(() => host.Abort(generation)))
            {
                if (call.Stream) await StreamAsync(context, generation, writer);
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

    /// <summary>Queues a call; null when the queue is full.</summary>
    public Generation? Submit(GenerationCall call)
    {
        var (generation, requests) = planner.Plan(call);
        return host.TrySubmit(generation, requests) ? generation : null;
    }

    private async Task AnswerAsync(HttpContext context, Generation generation, IAnswerWriter writer)
    {
        while (!generation.Finished) await generation.NewsAsync(context.RequestAborted);
        using var buffer = new PooledBuffer();
        writer.WriteWhole(buffer, generation);
        LoadReport.Add(context, host);
        await HttpAnswers.SendAsync(context, StatusCodes.Status200OK, HttpAnswers.JsonType, buffer.WrittenMemory);
        context.RequestAborted.ThrowIfCancellationRequested();
    }

    private static async Task StreamAsync(HttpContext context, Generation generation, IAnswerWriter writer)
    {
        context.Response.ContentType = EventStream;
        using var buffer = new PooledBuffer();
        var text = new StringBuilder();
        writer.WriteStart(buffer, generation);
        if (!buffer.Written.IsEmpty) await FlushAsync(context, buffer);
        bool finished;
        do
        {
            await generation.NewsAsync(context.RequestAborted);
            // Read before the answers: what is complete now is sent in full below.
            finished = generation.Finished;
            foreach (var answer in generation.Answers)
            {
                while (WriteNextToken(answer, writer, buffer, text)) await FlushAsync(context, buffer);
            }
        }
        while (!finished);

        writer.WriteEnd(buffer, generation);
        await FlushAsync(context, buffer);
    }

    /// <summary>Writes the events of the answer's next token, if that token exists.</summary>
    private static bool WriteNextToken(Answer answer, IAnswerWriter writer, PooledBuffer buffer, StringBuilder text)
    {
        if (answer.Sent >= answer.Ready) return false;
        var isFirst = answer.Sent == 0;
        text.Clear();
        answer.AppendText(text, answer.Sent);
        if (isFirst) text.Insert(0, answer.Echo);
        answer.Sent++;
        FinishReason? reason = answer.Sent == answer.Tokens.Length ? answer.Ends : null;
        writer.WriteToken(buffer, answer, text.ToString(), reason, isFirst);
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
