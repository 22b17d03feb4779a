using System.Buffers;
using System.Buffers.Binary;
using Microsoft.AspNetCore.Http;

namespace Mesh.Simulation.Server.Apis;

/// <summary>Serves <c>/v1/audio/*</c>: a text as long as the recording, or silence as long as the text.</summary>
internal sealed class AudioHandler(SimulatedVllmOptions options, ModelCatalog models, RequestIds ids, RequestCounts counts)
{
    private const int BytesPerSecond = 16 * 1024;
    private const int SamplesPerSecond = 8000;
    private const int MaxSeconds = 60;
    private const int WaveHeadBytes = 44;

    /// <summary>Transcriptions and translations.</summary>
    public async Task TranscribeAsync(HttpContext context)
    {
        IFormCollection form;
        try
        {
            form = await context.Request.ReadFormAsync(context.RequestAborted);
        }
        catch (Exception e) when (e is InvalidDataException or InvalidOperationException or BadHttpRequestException)
        {
            await HttpAnswers.SendErrorAsync(context, ApiError.BadRequest("The body is not a form."));
            return;
        }

        string? name = form["model"];
        if (models.Find(name) is not { } model) await HttpAnswers.SendErrorAsync(context, ApiError.NoSuchModel(name!));
        else if (form.Files.GetFile("file") is not { } file) await HttpAnswers.SendErrorAsync(context, ApiError.BadRequest("file is missing.", "file"));
        else await AnswerAsync(context, model, (int)Math.Clamp(file.Length / BytesPerSecond, 1, MaxSeconds), string.Equals(form["stream"], "true", StringComparison.OrdinalIgnoreCase));
    }

    /// <summary>Speech.</summary>
    public async Task SpeakAsync(HttpContext context)
    {
        var (document, error) = await HttpAnswers.ReadJsonAsync(context, options.MaxRequestBodyBytes);
        using var owned = document;
        string? input = null;
        if (document is not null)
        {
            var body = new FieldReader(document.RootElement);
            var name = body.Text("model");
            input = body.Text("input");
            if (input is null) body.Fail("input is missing.", "input");
            error = body.Error ?? (models.Find(name) is null ? ApiError.NoSuchModel(name!) : null);
        }

        if (error is not null)
        {
            await HttpAnswers.SendErrorAsync(context, error);
            return;
        }

        await HttpAnswers.SendAsync(context, StatusCodes.Status200OK, "audio/wav", Silence(Math.Clamp(input!.Length / 15, 1, MaxSeconds)));
        counts.Completed();
    }

    private async Task AnswerAsync(HttpContext context, ServedModel model, int seconds, bool stream)
    {
        // About as fast as people speak.
        var words = Enumerable.Range(0, seconds * 2).Select(i => i % 2 == 0 ? "la" : "pizza").ToArray();
        using var buffer = new PooledBuffer();
        if (!stream)
        {
            using (var json = Json.Writer(buffer))
            {
                json.WriteStartObject();
                json.WriteString("text"u8, string.Join(' ', words));
                json.WriteStartObject("usage"u8);
                json.WriteString("type"u8, "duration"u8);
                json.WriteNumber("seconds"u8, seconds);
                json.WriteEndObject();
                json.WriteEndObject();
            }

            await HttpAnswers.SendAsync(context, StatusCodes.Status200OK, HttpAnswers.JsonType, buffer.WrittenMemory);
            counts.Completed();
            return;
        }

        context.Response.ContentType = "text/event-stream; charset=utf-8";
        var id = ids.Next("trsc-", context.Request.Headers[RequestIds.Header]);
        for (var i = 0; i < words.Length; i++)
        {
            buffer.Clear();
            WriteChunk(buffer, id, model, i == 0 ? words[i] : " " + words[i], i == words.Length - 1);
            await context.Response.BodyWriter.WriteAsync(buffer.WrittenMemory, context.RequestAborted);
        }

        await context.Response.BodyWriter.WriteAsync("data: [DONE]\n\n"u8.ToArray(), context.RequestAborted);
        counts.Completed();
    }

    private void WriteChunk(PooledBuffer buffer, string id, ServedModel model, string text, bool isLast)
    {
        buffer.Write("data: "u8);
        using (var json = Json.Writer(buffer))
        {
            json.WriteStartObject();
            json.WriteString("id"u8, id);
            json.WriteString("object"u8, "transcription.chunk"u8);
            json.WriteNumber("created"u8, options.TimeProvider.GetUtcNow().ToUnixTimeSeconds());
            json.WriteString("model"u8, model.Name);
            json.WriteStartArray("choices"u8);
            json.WriteStartObject();
            json.WriteStartObject("delta"u8);
            json.WriteString("content"u8, text);
            json.WriteEndObject();
            if (isLast) json.WriteString("finish_reason"u8, "stop"u8);
            else json.WriteNull("finish_reason"u8);
            json.WriteEndObject();
            json.WriteEndArray();
            json.WriteEndObject();
        }

        buffer.Write("\n\n"u8);
    }

    private static byte[] Silence(int seconds)
    {
        var samples = seconds * SamplesPerSecond;
        var wave = new byte[WaveHeadBytes + samples];
        "RIFF"u8.CopyTo(wave);
        BinaryPrimitives.WriteInt32LittleEndian(wave.AsSpan(4), wave.Length - 8);
        "WAVEfmt "u8.CopyTo(wave.AsSpan(8));
        BinaryPrimitives.WriteInt32LittleEndian(wave.AsSpan(16), 16);
        BinaryPrimitives.WriteInt16LittleEndian(wave.AsSpan(20), 1);
        BinaryPrimitives.WriteInt16LittleEndian(wave.AsSpan(22), 1);
        BinaryPrimitives.WriteInt32LittleEndian(wave.AsSpan(24), SamplesPerSecond);
        BinaryPrimitives.WriteInt32LittleEndian(wave.AsSpan(28), SamplesPerSecond);
        BinaryPrimitives.WriteInt16LittleEndian(wave.AsSpan(32), 1);
        BinaryPrimitives.WriteInt16LittleEndian(wave.AsSpan(34), 8);
        "data"u8.CopyTo(wave.AsSpan(36));
        BinaryPrimitives.WriteInt32LittleEndian(wave.AsSpan(40), samples);
        // Eight bits stand for silence in the middle of their range.
        wave.AsSpan(WaveHeadBytes).Fill(0x80);
        return wave;
    }
}
