using System.Text;
using Mesh.Core.Randomness;
using Mesh.Gateway.Inference.Apis;
using Mesh.Gateway.Inference.ModelRewriting;
using Mesh.Gateway.Inference.RequestBody;
using Mesh.Gateway.Inference.Shaping;

namespace Mesh.Gateway.Tests.Inference;

/// <summary>
/// Bodies bent, cut and joined at random through everything that reads a request: no crash, no hang, no byte out of bounds. A short batch here;
/// <c>MESH_FUZZ_INPUTS=1000000 dotnet test tests/Mesh.Gateway.Tests -c Release --filter RequestReaderFuzz</c> for a long one.
/// </summary>
public sealed class RequestReaderFuzzTests
{
    private const int ShortBatch = 20_000;
    private const string Form = "multipart/form-data; boundary=XX";

    private static readonly byte[][] Seeds =
    [
        .. new[]
        {
            """{"model":"m1","messages":[{"role":"system","content":"Be brief."},{"role":"user","content":[{"type":"text","text":"hi"},{"type":"image_url","image_url":{"url":"data:x"}}]}],"tools":[{"type":"function"}],"stream":true,"stream_options":{"include_usage":false}}""",
            """{"model":"m\u00e9","prompt":[[1,2,3],[4]],"max_tokens":7,"cache_salt":"s","stream":true}""",
            """{"model":"m1","instructions":"x","input":[{"role":"user","content":[{"type":"input_text","text":"hi"}]},{"type":"function_call","arguments":"{}","call_id":"c"},{"type":"function_call_output","output":"5"}],"previous_response_id":"resp_0123","request_id":"x"}""",
            """{"model":"m1","max_tokens":5,"system":[{"type":"text","text":"hi"}],"messages":[{"role":"user","content":"a"}],"tools":[{"name":"f","input_schema":{}}]}""",
            """{"model":"m1","query":"a","documents":["b",{"text":"c"}],"text_1":"a","text_2":["b"],"input":"x"}""",
            "--XX\r\nContent-Disposition: form-data; name=\"file\"; filename=\"a\"\r\nContent-Type: audio/wav\r\n\r\nRIFF\0\r\n--X\r\n--XX\r\nContent-Disposition: form-data; name=model\r\n\r\nwhisper\r\n--XX--\r\n",
        }.Select(Encoding.UTF8.GetBytes),
    ];

    private static readonly byte[][] Pieces =
        [.. new[] { "{", "}", "[", "]", "\"", ":", ",", "\\u", "\\ud800", "null", "true", "1e999", "\r\n", "\r\n--XX", "--XX--", "\"model\":", "\"stream_options\":{", "\"input\":[", "\0", "\uFEFF", ";name=model", "\r\n\r\n" }.Select(Encoding.UTF8.GetBytes)];

    private static readonly InferenceApi[] Apis = [InferenceApis.Find("/v1/chat/completions")!, InferenceApis.Find("/v1/responses")!, InferenceApis.Find("/v1/messages")!];

    [Fact]
    public void Reader_AnyBytes_NeitherCrashesNorHangs()
    {
        const ulong Seed = 20260611;
        var inputs = int.TryParse(Environment.GetEnvironmentVariable("MESH_FUZZ_INPUTS"), out var asked) ? asked : ShortBatch;
        var random = new Xoshiro256(Seed);
        var chain = new ulong[PromptChain.MaxBlocks];
        var buffer = new byte[16 * 1024];
        var accepted = 0;
        for (var i = 0; i < inputs; i++)
        {
            var length = Make(random, buffer);
            // An array of exactly this length: reading past its end throws.
            var body = buffer.AsSpan(0, length).ToArray();
            try
            {
                if (Read(body, chain, Apis[i % Apis.Length])) accepted++;
            }
            catch (Exception e)
            {
                throw new InvalidOperationException($"seed {Seed}, input {i}: {Convert.ToHexString(body)}", e);
            }
        }

        Assert.InRange(accepted, inputs / 100, inputs);
    }

    [Fact]
    public void Chain_NameThatIsNoText_CountsWhatStandsBefore()
    {
        var text = new string('x', 600);
        var whole = Encoding.UTF8.GetBytes($$"""{"model":"m","input":[{"role":"user","content":"{{text}}"},{"call_\ud800id":"c"}]}""");
        var start = Encoding.UTF8.GetBytes($$"""{"model":"m","input":[{"role":"user","content":"{{text}}"}]}""");
        ulong[] a = new ulong[PromptChain.MaxBlocks], b = new ulong[PromptChain.MaxBlocks];
        Assert.True(BodyScanner.TryScan(whole, out var wholeFacts, out _));
        Assert.True(BodyScanner.TryScan(start, out var startFacts, out _));
        var blocks = PromptChain.Compute(start, startFacts, "m", b);
        Assert.True(blocks > 0);
        Assert.Equal(blocks, PromptChain.Compute(whole, wholeFacts, "m", a));
        Assert.Equal(b, a);
    }

    private static bool Read(byte[] body, ulong[] chain, InferenceApi api)
    {
        var isForm = MultipartScanner.TryScan(body, Form, out var form, out _);
        if (isForm && form.Model is not null) Edit(body, form, api);
        if (!BodyScanner.TryScan(body, out var facts, out _)) return isForm;
        Assert.True(facts.PromptTokens >= 0);
        foreach (var range in (ReadOnlySpan<ByteRange>)[facts.ModelValue, facts.PromptValue, facts.SystemValue, facts.ToolsValue, facts.SaltValue, facts.StreamOptionsValue, facts.IncludeUsageValue])
        {
            range.Of(body);
        }

        PromptChain.Compute(body, facts, facts.Model ?? "m", chain);
        if (facts.Model is not null) Edit(body, facts, api);
        return true;
    }

    /// <summary>Edits the body as for a model server, and reads what comes of it: it must say what was put in.</summary>
    private static void Edit(byte[] body, in BodyFacts facts, InferenceApi api)
    {
        var usage = UsageRequest.For(api, facts);
        BodyEdit[] edits = [new BodyEdit(facts.ModelValue, ModelChoice.Encode("other", facts))];
        if (usage is { } asks && !facts.IsForm) edits = [.. edits, asks];
        var edited = BodyEditor.Apply(new PooledBody([.. body], body.Length), edits).Memory.Span;
        BodyFacts after;
        Assert.True(facts.IsForm ? MultipartScanner.TryScan(edited, Form, out after, out _) : BodyScanner.TryScan(edited, out after, out _));
        Assert.Equal("other", after.Model);
        if (usage is not null && !facts.IsForm) Assert.True(after.IncludeUsage);
    }

    private static int Make(Xoshiro256 random, byte[] buffer)
    {
        var seed = Seeds[random.NextInt32(Seeds.Length)];
        seed.CopyTo(buffer, 0);
        var length = seed.Length;
        for (int edit = 0, edits = random.NextInt32(6); edit < edits && length > 0; edit++)
        {
            var at = random.NextInt32(length);
            switch (random.NextInt32(6))
            {
                case 0:
                    buffer[at] = (byte)random.NextInt32(256);
                    break;
                case 1:
                    length = at;
                    break;
                case 2:
                    length = Insert(buffer, length, at, Pieces[random.NextInt32(Pieces.Length)]);
                    break;
                case 3:
                    var other = Seeds[random.NextInt32(Seeds.Length)];
                    var from = random.NextInt32(other.Length);
                    length = Insert(buffer, length, at, other.AsSpan(from, random.NextInt32(other.Length - from)));
                    break;
                case 4:
                    var cut = Math.Min(length - at, 1 + random.NextInt32(20));
                    buffer.AsSpan(at + cut, length - at - cut).CopyTo(buffer.AsSpan(at));
                    length -= cut;
                    break;
                default:
                    // Deep nesting, in a place where it may stand.
                    for (var depth = random.NextInt32(300); depth > 0; depth--) length = Insert(buffer, length, at, "["u8);
                    break;
            }
        }

        return length;
    }

    private static int Insert(byte[] buffer, int length, int at, ReadOnlySpan<byte> piece)
    {
        if (length + piece.Length > buffer.Length) return length;
        var copy = piece.ToArray();
        buffer.AsSpan(at, length - at).CopyTo(buffer.AsSpan(at + copy.Length));
        copy.CopyTo(buffer.AsSpan(at));
        return length + copy.Length;
    }
}
